"""Two hundred connections that never finish a head: when are they cut, and who notices?

Usage: python benchmarks/faults/slow_heads.py [--connections 200]
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import threading
import time

from standing import ask, body_of, machine, share, standing

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: "


def _drip(port: int, ends: list[float]) -> None:
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as talk:
        talk.sendall(HEAD)
        talk.settimeout(1.0)
        while True:
            try:
                talk.sendall(b"a")
                if not talk.recv(4096):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    ends.append(time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--connections", type=int, default=200)
    count = asked.parse_args().connections
    with standing() as it:
        ends: list[float] = []
        slow = [
            threading.Thread(target=_drip, args=(it.port, ends), daemon=True) for _ in range(count)
        ]
        for each in slow:
            each.start()
        taken: list[float] = []
        while any(each.is_alive() for each in slow) and len(taken) < 4000:
            with contextlib.suppress(OSError):
                taken.append(ask(it.port, body_of("now"))[1])
            time.sleep(0.02)
        print(f"cut {len(ends)} of {count}, the last after {max(ends):.1f} s (bar 30)")
        print(f"others: {len(taken)} requests, the slowest {max(taken):.3f} s (bar 1)")
        print(f"p50 {share(taken, 0.5) * 1000:.1f} ms; {machine()}")


if __name__ == "__main__":
    main()
