"""A full outage, and deadlines: calls for each request, and seconds beyond what was asked for.

Usage: python benchmarks/faults/outage.py [--requests 200]
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

from standing import ask, body_of, machine, share, standing

DEADLINE_S = 1.0


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--requests", type=int, default=200)
    count = asked.parse_args().requests
    with standing(models=("down", "now")) as it, ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: ask(it.port, body_of("down")), range(count)))
        seconds = [each for _, each in told]
        calls = it.calls() - 1  # the one that saw whether it stands
        print(f"full outage: {calls / count:.2f} calls a request (bar 1.2), ", end="")
        print(
            f"statuses {sorted({status for status, _ in told})}, p99 {share(seconds, 0.99):.2f} s"
        )
    with standing() as it, ThreadPoolExecutor(8) as pool:
        kinds = [(model, stream) for model in ("hang", "drip") for stream in (False, True)]
        late = pool.map(
            lambda n: (
                ask(
                    it.port,
                    body_of(kinds[n % 4][0], stream=kinds[n % 4][1]),
                    x_emafusion_max_latency_s=str(DEADLINE_S),
                )[1]
                - DEADLINE_S
            ),
            range(40),
        )
        print(f"latest beyond its deadline: {max(late):.3f} s (bar 0.2); {machine()}")


if __name__ == "__main__":
    main()
