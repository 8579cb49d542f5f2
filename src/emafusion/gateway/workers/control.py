"""What parent and workers say to each other: a line of JSON each, over a pair of sockets."""

from __future__ import annotations

import asyncio
import socket
from typing import Literal

import msgspec

from emafusion.store.shared import Event

LONGEST = 16 * 2**20
"""Bytes of a line at most; a config is one."""


class LocalPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A model on this machine that the parent runs for all. `name`: what it was asked for by."""

    name: str
    base_url: str | None
    api_key: str
    state: str
    reason: str | None


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """To a worker: what to serve, on which socket. `leads`: it does what only one should do.

    `config`: JSON of the whole tree; `source`: where it is from, for people.
    """

    config: msgspec.Raw
    source: str
    socket: int
    admin_socket: int | None
    leads: bool


class Renew(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """To a worker: another config from now on."""

    number: int
    config: msgspec.Raw


class Renewed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """From a worker: what came of it; `refused`: why the old config goes on."""

    number: int
    refused: str | None


class Places(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """To a worker: how the models on this machine stand."""

    places: tuple[LocalPlace, ...]


class Telling(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """From a worker for all others, and to these."""

    event: Event


class Say(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something short. To a worker: `announce` that all are ready, `reread` the artifact, `stop`.

    From a worker: `ready`.
    """

    what: Literal["announce", "reread", "stop", "ready"]


Message = Begin | Renew | Renewed | Places | Telling | Say

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Message).decode


class Line:
    """One end of the pair. Belongs to one event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: Message) -> None:
        """Send, without waiting; to one who is gone nothing is sent."""
        if not self._writer.is_closing():
            self._writer.write(_ENCODE(message) + b"\n")

    async def receive(self) -> Message | None:
        """The next message; None once the other side is gone."""
        try:
            line = await self._reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, OSError):
            return None
        message: Message = _DECODE(line)
        return message

    def close(self) -> None:
        """Let go."""
        self._writer.close()


async def line_over(end: socket.socket) -> Line:
    """Speak over this end of a pair of sockets."""
    reader, writer = await asyncio.open_connection(sock=end, limit=LONGEST)
    return Line(reader, writer)
