"""Sampling speed of Transformers' `generate` with a model folder.

python generate.py '{"folder": "DIR", "sources": "sources.json", "candidates": 16, "temperature": 1.0,
                     "newTokens": 64, "threads": 2}'

`sources.json` holds a list of lists of token ids, end of sentence included. A batch takes as many sources as make about
`rows` candidates, sorted by length, which wastes little on padding. With `"tune": [64, 128, 256]` each of these is tried
on sources of middle length and the fastest is taken, so that the peer is measured at its best.
"""

import json
import time

import torch
from common import report, settings, timed_rounds
from transformers import AutoModelForSeq2SeqLM

s = settings(
    {
        "folder": None,
        "sources": None,
        "candidates": None,
        "newTokens": None,
        "temperature": 1.0,
        "rows": 256,
        "tune": [],
        "attention": "sdpa",
        "threads": 2,
        "warmup": 1,
        "rounds": 3,
        "seed": 1,
        "write": "",
    }
)
torch.manual_seed(s["seed"])
model = AutoModelForSeq2SeqLM.from_pretrained(
    s["folder"], dtype=torch.float32, attn_implementation=s["attention"]
).eval()
eos, pad = model.config.eos_token_id, model.config.pad_token_id
with open(s["sources"]) as file:
    sources = json.load(file)
order = sorted(range(len(sources)), key=lambda i: len(sources[i]))


def batches(indices, rows):
    size = max(1, rows // s["candidates"])
    for start in range(0, len(indices), size):
        chosen = indices[start : start + size]
        longest = max(len(sources[i]) for i in chosen)
        yield chosen, torch.tensor([sources[i] + [pad] * (longest - len(sources[i])) for i in chosen])


@torch.inference_mode()
def sample(indices, rows):
    """`candidates` outputs for each of these sources: token ids up to and with end of sentence."""
    outputs = {}
    for chosen, input_ids in batches(indices, rows):
        sequences = model.generate(
            input_ids=input_ids,
            attention_mask=(input_ids != pad).long(),
            do_sample=True,
            temperature=s["temperature"],
            # Transformers would otherwise sample from the best 50 tokens only.
            top_k=0,
            top_p=1.0,
            num_beams=1,
            num_return_sequences=s["candidates"],
            max_new_tokens=s["newTokens"],
        )[:, 1:].tolist()
        for row, sequence in enumerate(sequences):
            end = sequence.index(eos) + 1 if eos in sequence else len(sequence)
            outputs.setdefault(chosen[row // s["candidates"]], []).append(sequence[:end])
    return outputs


rows = s["rows"]
if s["tune"]:
    # From the middle of the lengths, as many as the largest batch holds.
    count = max(1, max(s["tune"]) // s["candidates"])
    middle = max(0, (len(order) - count) // 2)
    trial = order[middle : middle + count]
    sample(trial, rows)

    def seconds_at(candidate_rows):
        start = time.perf_counter()
        sample(trial, candidate_rows)
        return time.perf_counter() - start

    rows = min(s["tune"], key=seconds_at)

results = []
seconds = timed_rounds(lambda: results.append(sample(order, rows)), s["warmup"], s["rounds"])
outputs = results[s["warmup"] :]
counts = [sum(len(sequence) for group in output.values() for sequence in group) for output in outputs]
candidate_rates = [len(sources) * s["candidates"] / t for t in seconds]
token_rates = [count / t for count, t in zip(counts, seconds)]
if s["write"]:
    with open(s["write"], "w") as file:
        json.dump([outputs[-1][i] for i in range(len(sources))], file)
report(
    candidatesPerSecond=sorted(candidate_rates)[len(candidate_rates) // 2],
    candidatesPerSecondRounds=candidate_rates,
    tokensPerSecond=sorted(token_rates)[len(token_rates) // 2],
    tokensPerSecondRounds=token_rates,
    meanLength=sum(counts) / (len(counts) * len(sources) * s["candidates"]),
    finished=sum(q[-1] == eos for group in outputs[-1].values() for q in group) / (len(sources) * s["candidates"]),
    rows=rows,
)
