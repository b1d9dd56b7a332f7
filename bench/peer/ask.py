"""Requests a second of OpenAI's own asynchronous client: so many workers, each of which asks again when it has its answer.

python ask.py '{"url": "http://127.0.0.1:8000/v1", "choices": 16, "concurrency": 256, "requests": 16000, "samples": 16}'
"""

import asyncio
import json
import resource
import sys
import time

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

s = json.loads(sys.argv[1])


def prompt(number: int) -> str:
    return (
        f"Problem {number}: a shop sells boxes of 12 pencils. Ann buys {number + 3} of them, gives 8 pencils to her brother, "
        "and shares the rest with a friend. How many pencils are left?"
    )


async def main() -> None:
    client = AsyncOpenAI(
        base_url=s["url"], api_key="none", max_retries=2, timeout=Timeout(300), http_client=DefaultAsyncHttpxClient()
    )
    each = s["samples"] // s["choices"]
    waiting = iter(range(s["requests"]))
    texts: list[str] = []

    async def worker() -> None:
        for number in waiting:
            answer = await client.chat.completions.create(
                model="emulated",
                messages=[{"role": "user", "content": prompt(number // each)}],
                n=s["choices"],
                temperature=1.0,
                max_tokens=64,
                seed=number,
            )
            texts.extend(choice.message.content or "" for choice in answer.choices)

    start, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(s["concurrency"])))
    seconds = time.perf_counter() - start
    assert len(texts) == s["requests"] * s["choices"], len(texts)
    print(
        json.dumps(
            {
                "requestsPerSecond": s["requests"] / seconds,
                "processorMilliseconds": 1000 * (time.process_time() - spent) / s["requests"],
                "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


asyncio.run(main())
