"""One request with a hundred thousand messages: how long are others held up?

Usage: python benchmarks/faults/giant.py [--messages 100000]
"""

from __future__ import annotations

import argparse
import json
import threading
import time

from standing import ask, body_of, machine, share, standing


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--messages", type=int, default=100_000)
    count = asked.parse_args().messages
    turns = [{"role": "user", "content": f"message number {n} about things"} for n in range(count)]
    with standing(models=("now",)) as it:
        for model in ("now", "auto"):
            body = json.dumps({"model": model, "messages": turns}).encode()
            done, answered = threading.Event(), list[tuple[int, float]]()

            def send(body: bytes = body, answered: list[tuple[int, float]] = answered) -> None:
                answered.append(ask(it.port, body))

            giant = threading.Thread(target=send)
            before = [ask(it.port, body_of("now"))[1] for _ in range(50)]
            giant.start()
            during = list[float]()
            while giant.is_alive() and not done.is_set():
                during.append(ask(it.port, body_of("now"))[1])
                time.sleep(0.002)
            status, seconds = answered[0]
            print(
                f"{model}: {len(body) / 1e6:.1f} MB, status {status} after {seconds:.2f} s; others"
            )
            print(f"  before p99 {share(before, 0.99) * 1000:.0f} ms, meanwhile slowest", end=" ")
            print(f"{max(during):.3f} s of {len(during)} (bar 0.5)")
        print(machine())


if __name__ == "__main__":
    main()
