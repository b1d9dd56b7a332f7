"""What the three programs share: settings in as one JSON argument, one line of JSON out, rounds that are timed."""

import json
import sys
import time

import torch
import transformers


def settings(defaults):
    """The JSON object of the first argument over `defaults`. An unknown key is an error, as in our own configuration."""
    given = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        sys.exit(f"unknown settings {unknown}, expected some of {sorted(defaults)}")
    missing = sorted(key for key, value in {**defaults, **given}.items() if value is None)
    if missing:
        sys.exit(f"missing settings {missing}")
    values = {**defaults, **given}
    torch.set_num_threads(values["threads"])
    # Progress bars and advice would mix with the results.
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return values


def timed_rounds(work, warmup, rounds):
    """Seconds of each of `rounds` calls of `work`, after `warmup` that are not counted."""
    for _ in range(warmup):
        work()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def report(**values):
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    print(json.dumps({**values, "threads": torch.get_num_threads(), "versions": versions}))
