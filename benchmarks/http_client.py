"""CPU of one request and of one streamed event: our client, bare asyncio, and others if installed.

    python benchmarks/http_client.py

Starts its own mock server on loopback; aiohttp and httpx are measured if they can be imported.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import uvloop

REQUESTS = 2_000
ROUNDS = 5
EVENTS = 200
STREAMS = 20
PACE_S = 0.003
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello " * 20}]}).encode()
HEADERS = {"content-type": "application/json", "authorization": "Bearer made-up"}
ANSWER = json.dumps(
    {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello there"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }
).encode()
Once = Callable[[], Awaitable[object]]


class Mock(asyncio.Protocol):
    """The smallest server that answers a chat request, whole or streamed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream
        self._data = b""
        self._streams: set[asyncio.Task[None]] = set()

    def data_received(self, data: bytes) -> None:
        """Answer each complete request."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        if not found or len(body) < int(length or 0):
            return
        self._data = b""
        if b'"stream":true' in body.replace(b" ", b""):
            self._streams.add(asyncio.ensure_future(self._stream()))
        else:
            start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            self._transport.write(start + b"content-length: %d\r\n\r\n" % len(ANSWER) + ANSWER)

    async def _stream(self) -> None:
        start = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        self._transport.write(start + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(EVENTS):
            self._transport.write(_event({"delta": {"content": " hello"}, "finish_reason": None}))
            await asyncio.sleep(PACE_S)
        self._transport.write(_event({"delta": {}, "finish_reason": "stop"}))
        self._transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def _event(choice: dict[str, object]) -> bytes:
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    data = json.dumps(chunk | {"choices": [{"index": 0, **choice}]}).encode()
    data = b"data: %b\n\n" % data
    return b"%x\r\n%b\r\n" % (len(data), data)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _cost(name: str, once: Once) -> None:
    """Print the best round: microseconds of CPU and of the clock for one request."""
    rounds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        began, cpu = time.perf_counter(), _cpu_s()
        for _ in range(REQUESTS):
            await once()
        rounds.append((_cpu_s() - cpu, time.perf_counter() - began))
    cpu_us, wall_us = (best / REQUESTS * 1e6 for best in min(rounds))
    print(f"{name:14} {cpu_us:8.1f} us CPU {wall_us:8.1f} us a request")


async def bare(port: int) -> None:
    """Write the same bytes and wait for the end of the answer: what no client can undercut."""

    class Bare(asyncio.Protocol):
        answered: asyncio.Future[None]

        def data_received(self, data: bytes) -> None:
            if data.endswith(ANSWER[-10:]):
                self.answered.set_result(None)

    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(Bare, "127.0.0.1", port)
    request = b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)

    async def once() -> None:
        protocol.answered = loop.create_future()
        transport.write(request)
        await protocol.answered

    await _cost("bare asyncio", once)
    transport.close()


async def pool(port: int) -> None:
    """Our client, bytes in and out."""
    from emafusion.upstream.address import Server
    from emafusion.upstream.pool import Pool
    from emafusion.upstream.request import HttpRequest

    ours = Pool()
    server = Server(scheme="http", host="127.0.0.1", port=port)

    async def once() -> None:
        request = HttpRequest(target="/v1/x", headers=tuple(HEADERS.items()), body=BODY)
        response = await ours.open(server, request)
        await response.read()
        response.close()

    await _cost("our pool", once)
    await ours.close()


async def upstream(port: int) -> None:
    """Our client with its dialect: from a call to an attempt, whole and streamed."""
    from emafusion.domain.attempt import Delta
    from emafusion.domain.command import Call
    from emafusion.domain.query import ask
    from emafusion.testing import candidate
    from emafusion.upstream.pool import Pool
    from emafusion.upstream.remote import Account, RemoteUpstream
    from emafusion.wire.openai import OpenAIDialect

    account = Account(base_url=f"http://127.0.0.1:{port}")
    ours = RemoteUpstream(OpenAIDialect(), account, pool=Pool())
    call = Call(candidate=candidate("m"), query=ask("hello " * 20))
    await _cost("our upstream", lambda: ours.send(call))
    seen = 0

    async def sink(delta: Delta) -> None:
        nonlocal seen
        seen += 1
        del delta

    cpu = _cpu_s()
    await asyncio.gather(*(ours.send(call, sink) for _ in range(STREAMS)))
    print(f"our upstream   {(_cpu_s() - cpu) / seen * 1e6:8.1f} us CPU an event, {STREAMS} streams")
    await ours.close()


async def aiohttp(port: int) -> None:
    """The usual fast client."""
    import aiohttp as library

    async with library.ClientSession() as session:

        async def once() -> None:
            url = f"http://127.0.0.1:{port}/v1/x"
            async with session.post(url, data=BODY, headers=HEADERS) as response:
                await response.read()

        await _cost("aiohttp", once)


async def httpx(port: int) -> None:
    """The client inside the providers' own libraries."""
    import httpx as library

    async with library.AsyncClient() as client:

        async def once() -> None:
            await client.post(f"http://127.0.0.1:{port}/v1/x", content=BODY, headers=HEADERS)

        await _cost("httpx", once)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Measure every client that is there, one after the other."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline()) if server.stdout else 0
        try:
            for measure in (bare, pool, upstream, aiohttp, httpx, bare, pool):
                name = measure.__name__
                if name in ("aiohttp", "httpx") and importlib.util.find_spec(name) is None:
                    print(f"{name:14} not installed")
                else:
                    uvloop.run(measure(port))
        finally:
            server.terminate()


if __name__ == "__main__":
    if "--serve" in sys.argv:
        uvloop.run(_serve())
    else:
        main()
