"""Load: many streams at once, one giant request, a minute's traffic in seconds."""

from __future__ import annotations

import asyncio
import json
import threading
import time

from tests.faults.asking import ask, at_once, body_of, post
from tests.faults.conftest import StartServed
from tests.faults.faulty import END, WORDS, Faulty
from tests.gateway.talking import rows, send
from tests.upstream.fake_server import stream

STREAMS = 500
MESSAGES = 100_000


def test_five_hundred_streams_at_once(start_served: StartServed, faulty: Faulty) -> None:
    """Each is whole and its own, and nobody waits long for a first event."""
    served = start_served("one")
    faulty.now["one"] = stream(*WORDS, END, "[DONE]", pause_s=0.1)
    told = asyncio.run(_many(served.port))
    assert all(raw.count(b"data: ") == 6 and b"[DONE]" in raw for raw, _ in told)
    firsts = sorted(first for _, first in told)
    assert firsts[int(0.99 * STREAMS)] < 4.0, "2 s on cores of its own; client and provider share"
    assert rows(served.gateway) == [200] * STREAMS


def test_one_giant_request_holds_up_nobody(start_served: StartServed) -> None:
    """While a hundred thousand messages are worked on, others are answered as ever."""
    served = start_served("one")
    turns = ({"role": "user", "content": f"message {n}"} for n in range(MESSAGES))
    body = json.dumps({"model": "auto", "messages": list(turns)}).encode()
    taken: list[float] = []
    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            taken.append(ask(served.gateway, "one").seconds)
            time.sleep(0.005)

    asking = threading.Thread(target=others, daemon=True)
    asking.start()
    try:
        assert send(served.gateway, "POST", "/v1/chat/completions", body).status == 200
    finally:
        done.set()
        asking.join(10)
    assert max(taken) < 0.8, "0.5 s on cores of its own; client and provider share"


def test_memory_stays(start_served: StartServed) -> None:
    """A thousand requests of every kind leave no more memory in use than two hundred did."""
    served = start_served("one", "status-503", "half-json", "s-reset", "good")
    kinds = ("one", "status-503", "half-json", "s-reset", "nobody", "auto")

    def traffic(count: int) -> float:
        at_once(lambda n: ask(served.gateway, kinds[n % 6], stream=n % 5 == 0), range(count))
        return served.resident_mb

    traffic(200)
    before = traffic(100)
    assert traffic(700) < before + 12


async def _many(port: int) -> list[tuple[bytes, float]]:
    """Every stream whole, and the seconds to its first event."""
    asked = post(body_of("one", stream=True), "connection: close")

    async def one() -> tuple[bytes, float]:
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        told = await reader.readuntil(b"data: ")
        first = time.monotonic() - started
        told += await reader.read()
        writer.close()
        return told, first

    return list(await asyncio.gather(*(one() for _ in range(STREAMS))))
