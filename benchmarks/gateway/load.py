"""One client on one kept-alive connection: how long each request takes."""

from __future__ import annotations

import json
import socket
import statistics
import time

BODY = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant. Answer briefly."},
        {
            "role": "user",
            "content": "Why is the sky blue, and why is it red in the evening?",
        },
    ],
}


def request(*, stream: bool = False) -> bytes:
    """The bytes of one request."""
    body = json.dumps(BODY | ({"stream": True} if stream else {})).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json"
    return f"{head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def latencies_us(port: int, n: int) -> list[float]:
    """Microseconds of each of `n` requests, one after the other."""
    sent, taken = request(), list[float]()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(n):
            started = time.perf_counter()
            connection.sendall(sent)
            _read(connection)
            taken.append((time.perf_counter() - started) * 1e6)
    return taken


def p50_us(port: int, n: int) -> float:
    """Median of `n` requests after a tenth as many to warm up."""
    return statistics.median(latencies_us(port, n + n // 10)[n // 10 :])


def _read(connection: socket.socket) -> None:
    """Read one response with a content-length, or to the last chunk."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(data[:500].decode())
    lengths = [x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")]
    if lengths:
        left = int(lengths[0][15:]) - len(body)
        while left > 0:
            left -= len(_more(connection))
        return
    while not body.endswith(b"0\r\n\r\n"):
        body = body[-16:] + _more(connection)


def stream_us(port: int, n: int) -> float:
    """Microseconds of one streamed request, median of `n`."""
    sent, taken = request(stream=True), list[float]()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(n):
            started = time.perf_counter()
            connection.sendall(sent)
            _read(connection)
            taken.append((time.perf_counter() - started) * 1e6)
    return statistics.median(taken)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise RuntimeError("the connection was closed")
    return data
