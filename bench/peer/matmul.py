"""The machine's 32-bit matrix-product peak as PyTorch reaches it.

python matmul.py '{"size": 2048, "threads": 2}'
"""

import torch
from common import report, settings, timed_rounds

s = settings({"size": 2048, "threads": 2, "warmup": 2, "rounds": 10})
size = s["size"]
a, b, out = torch.rand(size, size), torch.rand(size, size), torch.empty(size, size)
seconds = timed_rounds(lambda: torch.mm(a, b, out=out), s["warmup"], s["rounds"])
# A multiplication and an addition for each of size³ products.
rates = [2 * size**3 / t / 1e9 for t in seconds]
report(gflops=max(rates), gflopsRounds=rates, size=size)
