"""Five hundred streams at once: are they whole, and how long is the wait for a first event?

Usage: python benchmarks/faults/streams.py [--streams 500]
"""

from __future__ import annotations

import argparse
import asyncio
import time

import uvloop
from provider import WORDS
from standing import body_of, machine, post, share, standing


async def _all(port: int, count: int) -> list[tuple[bytes, float]]:
    return list(await asyncio.gather(*(_one(port) for _ in range(count))))


async def _one(port: int) -> tuple[bytes, float]:
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post(body_of("words", stream=True), "connection: close"))
    told = await reader.readuntil(b"data: ")
    first_s = time.perf_counter() - started
    told += await reader.read()
    writer.close()
    return told, first_s


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--streams", type=int, default=500)
    count = asked.parse_args().streams
    with standing() as it:
        told = uvloop.run(_all(it.port, count))
        whole = sum(raw.count(b'" word"') == WORDS and b"[DONE]" in raw for raw, _ in told)
        firsts = [first for _, first in told]
        print(f"whole {whole} of {count} (bar: all)")
        print(
            f"first event p50 {share(firsts, 0.5):.2f} s, p99 {share(firsts, 0.99):.2f} s (bar 2)"
        )
        print(f"memory {it.resident_mb:.0f} MB after; {machine()}")


if __name__ == "__main__":
    main()
