"""What encoding and deciding one request costs, prompts of 12 and of 150 words, on one core.

Usage: python benchmarks/deciding.py [--requests 2000]

In a loop of its own, so everything is warm: in a live gateway, which runs through each of its
functions once a request, the same costs two to three times as much. No prompt comes twice.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from pathlib import Path

from emafusion.build.opening import candidates_of, parts_of
from emafusion.config import parse
from emafusion.flow.parts import Task
from emafusion.flow.route import forecast
from emafusion.wire.openai import decode_query

WORDS = [
    "why",
    "how",
    "when",
    "where",
    "what",
    "is",
    "are",
    "the",
    "a",
    "of",
    "in",
    "blue",
    "red",
    "sky",
    "sea",
    "light",
    "water",
    "energy",
    "moon",
    "evening",
    "scattered",
    "explain",
    "compare",
    "list",
    "write",
    "python",
    "function",
    "returns",
    "table",
    "energy",
    "price",
    "city",
    "river",
]
CONFIG = """
models:
  - {name: cheap, provider: openai, base_url: "http://127.0.0.1:1/v1", prompt_usd_per_mtok: 0.1,
     completion_usd_per_mtok: 0.4, context_tokens: 100000}
  - {name: dear, provider: openai, base_url: "http://127.0.0.1:1/v1", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8, context_tokens: 100000}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    asked = parser.parse_args()
    config = parse(CONFIG, source=str(Path(__file__)))
    pool = candidates_of(config)
    parts = parts_of(config, pool)
    for words in (12, 150):
        chance, taken = random.Random(words), list[float]()
        for n in range(asked.requests):
            prompt = " ".join(chance.choices(WORDS, k=words))
            body = b'{"model": "auto", "messages": [{"role": "user", "content": "%s?"}]}'
            query = decode_query(body % prompt.encode(), query_id=str(n))
            started = time.thread_time_ns()
            forecast(Task(query=query, candidates=pool), parts)
            taken.append((time.thread_time_ns() - started) / 1e3)
        warm = taken[len(taken) // 10 :]
        tenth = statistics.quantiles(warm, n=10)[0]
        print(f"{words} words: median {statistics.median(warm):.0f} us, a tenth below {tenth:.0f}")


if __name__ == "__main__":
    main()
