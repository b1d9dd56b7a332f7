"""Training speed of Transformers' MarianMTModel in a plain PyTorch loop, in 32 bits, with AdamW and clipping.

python train.py '{"model": 256, "inner": 1024, "heads": 4, "encoderLayers": 2, "decoderLayers": 2, "vocab": 8000,
                  "batch": 64, "sourceTime": 32, "time": 32, "threads": 2}'

A token is a target position or a source position: `tokensPerSecond` counts both, `targetTokensPerSecond` the first only.
"""

import torch
from common import report, settings, timed_rounds
from transformers import MarianConfig, MarianMTModel

s = settings(
    {
        "model": None,
        "inner": None,
        "heads": None,
        "encoderLayers": None,
        "decoderLayers": None,
        "vocab": None,
        "batch": None,
        "sourceTime": None,
        "time": None,
        "activation": "swish",
        "dropout": 0.1,
        "learningRate": 3e-4,
        "maxNorm": 1.0,
        "attention": "sdpa",
        "threads": 2,
        "warmup": 3,
        "rounds": 5,
        "stepsPerRound": 10,
        "seed": 1,
    }
)
torch.manual_seed(s["seed"])
PAD, EOS = 1, 0
model = MarianMTModel(
    MarianConfig(
        vocab_size=s["vocab"],
        d_model=s["model"],
        encoder_layers=s["encoderLayers"],
        decoder_layers=s["decoderLayers"],
        encoder_attention_heads=s["heads"],
        decoder_attention_heads=s["heads"],
        encoder_ffn_dim=s["inner"],
        decoder_ffn_dim=s["inner"],
        max_position_embeddings=max(512, s["sourceTime"], s["time"]),
        activation_function=s["activation"],
        dropout=s["dropout"],
        scale_embedding=True,
        pad_token_id=PAD,
        eos_token_id=EOS,
        decoder_start_token_id=PAD,
        forced_eos_token_id=None,
        attn_implementation=s["attention"],
    )
).train()
parameters = [p for p in model.parameters() if p.requires_grad]
# PyTorch's fastest AdamW on a CPU.
optimizer = torch.optim.AdamW(parameters, lr=s["learningRate"], fused=True)

# Full rows: the same work as ours, with no padding on either side.
input_ids = torch.randint(2, s["vocab"], (s["batch"], s["sourceTime"]))
labels = torch.randint(2, s["vocab"], (s["batch"], s["time"]))
attention_mask = torch.ones_like(input_ids)
losses = []


def step():
    loss = model(input_ids=input_ids, attention_mask=attention_mask, labels=labels).loss
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, s["maxNorm"])
    optimizer.step()
    losses.append(loss.item())


def round_of_steps():
    for _ in range(s["stepsPerRound"]):
        step()


for _ in range(s["warmup"]):
    step()
seconds = timed_rounds(round_of_steps, 0, s["rounds"])
target = [s["stepsPerRound"] * s["batch"] * s["time"] / t for t in seconds]
both = [rate * (s["time"] + s["sourceTime"]) / s["time"] for rate in target]
report(
    tokensPerSecond=sorted(both)[len(both) // 2],
    tokensPerSecondRounds=both,
    targetTokensPerSecond=sorted(target)[len(target) // 2],
    targetTokensPerSecondRounds=target,
    parameters=sum(p.numel() for p in parameters),
    # The batch is the same at each step, so that a loop that learns shows in a falling loss.
    firstLoss=losses[0],
    lastLoss=losses[-1],
)
