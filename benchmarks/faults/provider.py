"""A provider in a process of its own: each model does what its name says.

Usage: python benchmarks/faults/provider.py PORT

`now` answers at once, `words` streams ten words, one each 100 ms, `hang` says nothing, `drip` a
byte now and then, `down` is overloaded. Writes the number of its calls to standard output when its
standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

import uvloop
from typing_extensions import override

WORDS, PAUSE_S = 10, 0.1
REPLY = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Oslo"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
    }
).encode()
JSON = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
START = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
DOWN = b'{"error": {"message": "down", "type": "server_error"}}'


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}
    return _framed(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


EVENT = _event({"content": " word"})
END = _event({}, "stop") + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Provider(asyncio.Protocol):
    """One connection. `calls`: of all connections."""

    calls = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._parts: list[bytes] = []
        self._wanted = 0
        self._size = 0

    @override
    def data_received(self, data: bytes) -> None:
        """Answer as soon as a whole request is there."""
        self._parts.append(data)
        self._size += len(data)
        if not self._wanted:
            head, found, _ = b"".join(self._parts).partition(b"\r\n\r\n")
            if not found:
                return
            lines = head.lower().split(b"\r\n")
            length = next(int(x[15:]) for x in lines if x.startswith(b"content-length:"))
            self._wanted = len(head) + 4 + length
        if self._size >= self._wanted:
            body = b"".join(self._parts)
            self._parts, self._size, self._wanted = [], 0, 0
            Provider.calls += 1
            self._answer(
                body.replace(b" ", b"") if len(body) < 10_000 else body[:5000] + body[-5000:]
            )

    def _answer(self, body: bytes) -> None:
        write = self._transport.write
        if b'"model":"hang"' in body:
            return
        if b'"model":"down"' in body:
            write(JSON % (b"503 Down", len(DOWN)) + DOWN)
        elif b'"model":"drip"' in body:
            write(JSON % (b"200 OK", 10_000))
            self._drip()
        elif b'"stream":true' in body:
            write(START)
            self._speak(WORDS)
        else:
            write(JSON % (b"200 OK", len(REPLY)) + REPLY)

    def _speak(self, left: int) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(EVENT if left else END)
        if left:
            asyncio.get_running_loop().call_later(PAUSE_S, self._speak, left - 1)

    def _drip(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b" ")
            asyncio.get_running_loop().call_later(PAUSE_S, self._drip)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", port, backlog=2048)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    sys.stdout.write(f"{Provider.calls}\n")


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
