"""Asking a gateway: many at once, with the time it took."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from tests.gateway.starting import Gateway
from tests.gateway.talking import QUESTION, Body, Said, chat

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What came back, and after how many seconds."""

    said: Said
    seconds: float


def ask(gateway: Gateway, model: str, *, within_s: float | None = None, **fields: object) -> Timed:
    """Ask one model; `within_s`: the deadline that the request states."""
    headers = {} if within_s is None else {"x-emafusion-max-latency-s": str(within_s)}
    started = time.monotonic()
    said = chat(gateway, headers, model=model, **fields)
    return Timed(said=said, seconds=time.monotonic() - started)


def at_once(work: Callable[[T], R], items: Iterable[T], *, width: int = 32) -> list[R]:
    """Do the work for every item, so many at a time; in the order of the items."""
    with ThreadPoolExecutor(width) as pool:
        return list(pool.map(work, items))


def events(said: Said) -> list[Body]:
    """The JSON events of a stream."""
    lines = [line for line in said.raw.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


def text_of(said: Said) -> str:
    """The text of a streamed answer."""
    deltas = (choice["delta"] for each in events(said) for choice in each.get("choices", ()))
    return "".join(delta.get("content") or "" for delta in deltas)


def is_ended(said: Said) -> bool:
    """Whether a stream has its end marker."""
    return said.raw.rstrip().endswith(b"data: [DONE]")


def body_of(model: str, **fields: object) -> bytes:
    """A request's body."""
    return json.dumps({"model": model, "messages": QUESTION, **fields}).encode()


def post(body: bytes, *headers: str) -> bytes:
    """A whole request by hand."""
    lines = [
        "POST /v1/chat/completions HTTP/1.1",
        "host: x",
        f"content-length: {len(body)}",
        *headers,
    ]
    return "\r\n".join((*lines, "", "")).encode() + body


def dial(gateway: Gateway, timeout_s: float = 20.0) -> socket.socket:
    """A connection by hand."""
    at = urlsplit(gateway.url)
    return socket.create_connection((at.hostname or "", at.port or 0), timeout_s)


def everything(talk: socket.socket) -> bytes:
    """All that comes until the connection ends."""
    parts: list[bytes] = []
    try:
        while part := talk.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def status_of(told: bytes) -> int:
    """Status of the first response."""
    return int(told.split(b" ", 2)[1])
