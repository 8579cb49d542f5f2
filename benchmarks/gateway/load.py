"""Clients that ask as fast as they are answered: one on one connection, or several at once.

Prompts differ from request to request, as those of users do: nothing that is kept of one prompt may
make the next one look quick.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import statistics
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Self, cast

import uvloop
from typing_extensions import override

WORDS = (
    "why how when where what is are the a of in blue red sky sea light water energy moon evening "
    "scattered explain compare list write python function returns table energy price city river "
    "number prime sum mean river history law contract model value between before after every"
)
PROMPTS = 3_000
"""More than a gateway keeps anything of, so that none is met again."""
HEAD = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json"


def requests(*, words: int = 12, stream: bool = False, model: str = "auto") -> Iterator[bytes]:
    """The bytes of one request after the other, each with another prompt; for ever."""
    chance = random.Random(7)
    return cycle([_request(chance, words, stream=stream, model=model) for _ in range(PROMPTS)])


def _request(chance: random.Random, words: int, *, stream: bool, model: str) -> bytes:
    prompt = " ".join(chance.choices(WORDS.split(), k=words)).capitalize()
    messages = [
        {"role": "system", "content": "You are a helpful assistant. Answer briefly."},
        {"role": "user", "content": f"{prompt}?"},
    ]
    body = json.dumps({"model": model, "messages": messages, "stream": stream}).encode()
    return f"{HEAD}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def latencies_us(port: int, n: int, sent: Iterator[bytes] | None = None) -> list[float]:
    """Microseconds of each of `n` requests, one after the other on one connection."""
    sent, taken = sent or requests(), list[float]()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(n):
            data = next(sent)
            started = time.perf_counter()
            connection.sendall(data)
            _read(connection)
            taken.append((time.perf_counter() - started) * 1e6)
    return taken


def p50_us(port: int, n: int, sent: Iterator[bytes] | None = None) -> float:
    """Median of `n` requests after a tenth as many to warm up."""
    return statistics.median(latencies_us(port, n + n // 10, sent)[n // 10 :])


def _read(connection: socket.socket) -> None:
    """Read one response with a content-length, or to the last chunk."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(data[:500].decode())
    length = _length(head)
    if length is not None:
        left = length - len(body)
        while left > 0:
            left -= len(_more(connection))
        return
    while not body.endswith(b"0\r\n\r\n"):
        body = body[-16:] + _more(connection)


def _length(head: bytes) -> int | None:
    lines = head.lower().split(b"\r\n")
    return next((int(x[15:]) for x in lines if x.startswith(b"content-length:")), None)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise RuntimeError("the connection was closed")
    return data


def per_second(port: int, connections: int, seconds: float) -> float:
    """Requests answered a second, by so many connections that each ask on and on."""
    return uvloop.run(_per_second(port, connections, seconds))


async def _per_second(port: int, connections: int, seconds: float) -> float:
    loop, sent = asyncio.get_running_loop(), requests()
    clients = [Client(sent) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(client.itself, "127.0.0.1", port)
    await asyncio.sleep(seconds / 5)  # to warm up
    before, started = sum(client.answered for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    after, ended = sum(client.answered for client in clients), time.perf_counter()
    for client in clients:
        client.close()
    return (after - before) / (ended - started)


class Client(asyncio.Protocol):
    """Asks again as soon as it is answered."""

    def __init__(self, sent: Iterator[bytes]) -> None:
        self.answered = 0
        self._sent = sent
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(next(self._sent))

    @override
    def data_received(self, data: bytes) -> None:
        """Count whole answers of status 200 with a content-length; anything else is an error."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _length(head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise RuntimeError(self._buffer[:500].decode())
        if len(body) >= length:
            self._buffer = b""
            self.answered += 1
            self._transport.write(next(self._sent))

    def itself(self) -> Self:
        """Who speaks on the connection."""
        return self

    def close(self) -> None:
        """Ask no more."""
        self._transport.abort()
