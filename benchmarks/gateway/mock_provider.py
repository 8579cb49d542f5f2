"""A provider that costs nothing: canned bytes as fast as an event loop can write them.

Usage: python benchmarks/gateway/mock_provider.py PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

import uvloop
from typing_extensions import override

WORDS = 200
SAID = "Blue light is scattered most, and in the evening its way is longest."
REPLY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "mock",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": SAID,
                },
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28},
    }
).encode()


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "mock"}
    return b"data: " + json.dumps(chunk | {"choices": [choice]}).encode() + b"\n\n"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n"
WHOLE = HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % len(REPLY) + REPLY
START = HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"


def _framed(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


EVENT = _framed(_chunk({"content": " word"}))
END = _framed(_chunk({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Mock(asyncio.Protocol):
    """Answers each request on a connection: a body with `"stream": true` gets a stream."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    @override
    def data_received(self, data: bytes) -> None:
        """Answer as soon as a whole request is there."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            (int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")),
            0,
        )
        if len(body) < length:
            return
        self._buffer = body[length:]
        if b'"stream":true' in body.replace(b" ", b""):
            self._transport.write(START)
            for _ in range(WORDS):
                self._transport.write(EVENT)
            self._transport.write(END)
        else:
            self._transport.write(WHOLE)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
