"""A scripted HTTP/1.1 server on loopback: says what it is told to, as badly as it is told to.

    async with FakeServer() as server:
        server.will(reply(b'{"ok": true}'))
        server.will(reply(status=429, headers={"retry-after": "2"}))
        server.will(stream("one", "two", pause_s=0.1), Reset())
        ...
    server.seen      what was asked, in order

Each `will` is the script of one exchange; the last one serves all further requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived; header names in lower case; `connection` counts from 0."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True, slots=True)
class Say:
    """Send bytes, in pieces of `cut` bytes if that is given."""

    data: bytes
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Do nothing until the client leaves."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection in good order."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection (RST)."""


Act = Say | Pause | Hang | Close | Reset
Script = tuple[Act, ...]


def head(status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """Write a status line and headers."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def reply(
    body: bytes = b"{}", *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Script:
    """Say a whole response with a content length."""
    known = {"content-type": "application/json", "content-length": str(len(body))}
    return (Say(head(status, {**known, **(headers or {})}) + body),)


def chunk(data: bytes) -> bytes:
    """Write one chunk of a chunked body; empty data ends it."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def stream(*events: str, pause_s: float = 0.0, end: bool = True) -> Script:
    """Send events as a chunked stream, a pause before each; `end`: complete the body."""
    kind = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    acts: list[Act] = [Say(head(200, kind))]
    for event in events:
        if pause_s:
            acts.append(Pause(pause_s))
        acts.append(Say(chunk(f"data: {event}\n\n".encode())))
    if end:
        acts.append(Say(chunk(b"")))
    return tuple(acts)


@dataclass(slots=True)
class FakeServer:
    """Serves scripts; `open` connections now, `accepted` in all, `left_at`: when clients left.

    `tls` makes it speak TLS. Times are those of the loop's clock.
    """

    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    accepted: int = 0
    open: int = 0
    left_at: list[float] = field(default_factory=list)
    _scripts: deque[Script] = field(default_factory=deque)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"{'http' if self.tls is None else 'https'}://{self.host}:{self.port}"

    def will(self, *parts: Script | Act) -> None:
        """Add the script of the next exchange."""
        acts: list[Act] = []
        for part in parts:
            acts.extend(part if isinstance(part, tuple) else (part,))
        self._scripts.append(tuple(acts))

    async def asked(self, times: int = 1, within_s: float = 5.0) -> None:
        """Wait until so many requests have arrived."""
        for _ in range(int(within_s / 0.005)):
            if len(self.seen) >= times:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{len(self.seen)} of {times} requests after {within_s} s")

    async def client_left(self, within_s: float = 1.0) -> float:
        """Wait until a client has left during a `Hang`; when that was."""
        for _ in range(int(within_s / 0.005)):
            if self.left_at:
                return self.left_at[-1]
            await asyncio.sleep(0.005)
        raise AssertionError(f"the client is still there after {within_s} s")

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await asyncio.start_server(
            self._connected, self.host, self.port, ssl=self.tls, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, dropping whoever is connected."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number, self.accepted, self.open = self.accepted, self.accepted + 1, self.open + 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer, number):
                    pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        self.seen.append(await _read_request(reader, number))
        script = self._scripts.popleft() if len(self._scripts) > 1 else self._scripts[0]
        for act in script:
            if not await self._act(act, reader, writer):
                return False
        return True

    async def _act(
        self, act: Act, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        match act:
            case Say(data, cut):
                for at in range(0, len(data), cut or len(data) or 1):
                    writer.write(data[at : at + cut] if cut else data)
                    await writer.drain()
                    if cut:
                        await asyncio.sleep(0)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Hang():
                await self._hang(reader)
                return False
            case Close():
                return False
            case Reset():
                sock = writer.get_extra_info("socket")
                sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                return False
        return True

    async def _hang(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await reader.read()
        self.left_at.append(asyncio.get_running_loop().time())


async def _read_request(reader: asyncio.StreamReader, number: int) -> Seen:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method=method, target=target, headers=headers, body=body, connection=number)
