"""A reward in Python, of the standard library alone:

    reward: { kind: command, command: [python3, reward.py] }

Coppice starts the program once and keeps it running: load a model before the loop. Each line on standard input is
an object with "source" and "candidate" (and "reference" with `needsReference: true`); answer each, in order, by one
number from 0 (bad) to 1 (good) on a line of its own. What goes to standard error is shown where something goes wrong.

This one asks two things that any translation has to keep: the numbers, and about the length.
"""

import json
import re
import sys


def numbers(text):
    return sorted(re.findall(r"\d+", text))


def score(source, candidate):
    same_numbers = 1.0 if numbers(source) == numbers(candidate) else 0.0
    shorter, longer = sorted((len(source), len(candidate)))
    return 0.5 * same_numbers + 0.5 * (shorter / longer if longer else 1.0)


for line in sys.stdin:
    item = json.loads(line)
    # Flushed, or Python would keep the answers until it has a few thousand characters.
    print(score(item["source"], item["candidate"]), flush=True)
