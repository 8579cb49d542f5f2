"""A steady 20 requests a second of every kind: does memory grow?

Usage: python benchmarks/faults/soak.py [--minutes 5] [--rate 20]

The slope is that of a line through the memory of the second half, least squares.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import threading
import time
from collections import Counter

from standing import ask, body_of, machine, standing

KINDS = ("now", "auto", "words", "down", "nobody")


def _slope(points: list[tuple[float, float]]) -> float:
    """Of a line through (seconds, MB), in MB a minute."""
    n = len(points)
    mean_t, mean_mb = sum(t for t, _ in points) / n, sum(mb for _, mb in points) / n
    over = sum((t - mean_t) * (mb - mean_mb) for t, mb in points)
    return 60.0 * over / sum((t - mean_t) ** 2 for t, _ in points)


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=5.0)
    asked.add_argument("--rate", type=float, default=20.0)
    wish = asked.parse_args()
    with standing("reliability: {retries: 0}") as it:
        told, points = Counter[int](), list[tuple[float, float]]()

        def one(number: int) -> None:
            kind = KINDS[number % len(KINDS)]
            body = body_of(kind, stream=kind == "words" or number % 3 == 0, user=f"u{number}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                told[ask(it.port, body)[0]] += 1

        started, number = time.perf_counter(), 0
        while (at := time.perf_counter() - started) < wish.minutes * 60:
            threading.Thread(target=one, args=(number,), daemon=True).start()
            number += 1
            if number % int(wish.rate) == 0:
                points.append((at, it.resident_mb))
            time.sleep(max(0.0, number / wish.rate - (time.perf_counter() - started)))
        half = points[len(points) // 2 :]
        print(f"{number} requests in {wish.minutes:g} min: {dict(told)}")
        print(f"memory {points[0][1]:.1f} MB at first, {half[0][1]:.1f} half-way, ", end="")
        print(f"{points[-1][1]:.1f} at the end; slope {_slope(half):.2f} MB/min (bar 1)")
        print(machine())


if __name__ == "__main__":
    main()
