"""Speed of MetricX's forward pass in Transformers: mT5's encoder, one step of its decoder, one logit.

python reward.py '{"folder": "DIR", "sequences": "sequences.json", "head": "row", "threads": 2}'

`sequences.json` holds a list of lists of token ids. They are sorted by length and batched by tokens, padding included; with
`"tune": [1024, 2048]` each of these is tried on sequences of middle length and the fastest is taken. With `head` "all" the
logits of the whole vocabulary are computed, as MetricX's own program does, with "row" only the one that is read.
"""

import json
import time

import torch
from common import report, settings, timed_rounds
from transformers import MT5ForConditionalGeneration

SCORE_ID = 250089

s = settings(
    {
        "folder": None,
        "sequences": None,
        "head": "row",
        "batchTokens": 4096,
        "tune": [],
        "attention": "sdpa",
        "threads": 2,
        "warmup": 1,
        "rounds": 1,
    }
)
if s["head"] not in ("row", "all"):
    raise SystemExit(f"head is {s['head']}, expected row or all")
load = lambda **more: MT5ForConditionalGeneration.from_pretrained(s["folder"], dtype=torch.float32, **more).eval()
try:
    model = load(attn_implementation=s["attention"])
except ValueError:
    # Versions without that kernel for mT5 have their own code alone.
    model = load()
with open(s["sequences"]) as file:
    sequences = json.load(file)
order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i]))


def batches(indices, tokens):
    start = 0
    while start < len(indices):
        longest = len(sequences[indices[start]])
        size = max(1, tokens // longest)
        yield [sequences[i] + [0] * (longest - len(sequences[i])) for i in indices[start : start + size]], [
            len(sequences[i]) for i in indices[start : start + size]
        ]
        start += size


@torch.inference_mode()
def score(indices, tokens):
    found = []
    for rows, lengths in batches(indices, tokens):
        input_ids = torch.tensor(rows)
        mask = (torch.arange(input_ids.shape[1])[None] < torch.tensor(lengths)[:, None]).long()
        states = model.encoder(input_ids=input_ids, attention_mask=mask).last_hidden_state
        start = torch.zeros(len(rows), 1, dtype=torch.long)
        last = model.decoder(
            input_ids=start, encoder_hidden_states=states, encoder_attention_mask=mask, use_cache=False
        ).last_hidden_state
        logits = model.lm_head(last)[:, 0, SCORE_ID] if s["head"] == "all" else last[:, 0] @ model.lm_head.weight[SCORE_ID]
        found += logits.tolist()
    return found


tokens = s["batchTokens"]
if s["tune"]:
    middle = order[len(order) // 4 : -len(order) // 4]
    score(middle[:8], tokens)

    def seconds_at(size):
        begun = time.perf_counter()
        score(middle, size)
        return time.perf_counter() - begun

    tokens = min(s["tune"], key=seconds_at)

results = []
seconds = timed_rounds(lambda: results.append(score(order, tokens)), s["warmup"], s["rounds"])
count = sum(len(sequence) for sequence in sequences)
rates = sorted(count / t for t in seconds)
report(
    tokensPerSecond=rates[len(rates) // 2],
    meanSize=sum(abs(score) for score in results[-1]) / len(results[-1]),
    batchTokens=tokens,
)
