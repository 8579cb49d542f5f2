"""What replicas tell each other, by a stream in Valkey: bounded, and read from where one was.

A replica that starts late, or was cut off, hears what was told lately: the stream keeps the last
entries, unlike a channel that only reaches who listens.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from typing import Final, cast

from valkey.asyncio import Valkey

from emafusion.store.shared import Event, Hear, Told, from_bytes, to_bytes
from emafusion.store.valkey.link import GONE, PATIENCE_S, open_client, valkey_error

STREAM: Final = "{emafusion}told"
KEPT: Final = 10_000
"""Entries that the stream keeps, about."""

WAITING: Final = 1000
"""Events that wait for a server that is gone; the oldest are dropped."""

_BLOCK_S: Final = 5.0
_AGAIN_S: Final = 1.0
_AT_A_TIME: Final = 500
_log = logging.getLogger("emafusion")

_Entries = list[tuple[bytes, dict[bytes, bytes]]]


class ValkeyShared:
    """A `Shared` by way of Valkey. `trouble`: why it does not reach it, None if it does."""

    def __init__(self, url: str) -> None:
        self.trouble: str | None = None
        self._origin = secrets.token_hex(8)
        self._client = open_client(url)
        # Who waits for news holds a connection of its own, for longer than a question may take.
        self._ear = open_client(url, patience_s=_BLOCK_S + PATIENCE_S)
        self._waiting: deque[bytes] = deque(maxlen=WAITING)
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self, hear: Hear, /) -> None:
        """Begin to hear and to tell."""
        self._tasks = [asyncio.ensure_future(self._hear(hear)), asyncio.ensure_future(self._tell())]

    def publish(self, event: Event, /) -> None:
        """Tell others; returns at once."""
        self._waiting.append(to_bytes(Told(self._origin, event)))
        self._wake.set()

    async def close(self) -> None:
        """Tell what waits, if it can be told quickly, and end."""
        if self._tasks and self._waiting:
            sending = asyncio.ensure_future(self._send())
            await asyncio.wait((sending,), timeout=PATIENCE_S)
            await _end(sending)
        while self._tasks:
            await _end(self._tasks.pop())
        for client in (self._client, self._ear):
            await client.aclose(close_connection_pool=True)

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._send():
                await asyncio.sleep(_AGAIN_S)
                self._wake.set()

    async def _send(self) -> bool:
        """Send all that waits; whether it arrived."""
        some = list(self._waiting)
        line = self._client.pipeline(transaction=False)
        for told in some:
            line.xadd(STREAM, {"t": told}, maxlen=KEPT, approximate=True)
        try:
            await line.execute()
        except GONE as error:
            self._suffer(error)
            return False
        for _ in range(min(len(some), len(self._waiting))):
            self._waiting.popleft()
        return True

    async def _hear(self, hear: Hear) -> None:
        last = b"0"
        while True:
            try:
                entries = await _read(self._ear, last)
            except GONE as error:
                self._suffer(error)
                await asyncio.sleep(_AGAIN_S)
                continue
            if self.trouble is not None:
                _log.warning("replicas hear each other again")
                self.trouble = None
            for name, fields in entries:
                last = name
                told = from_bytes(fields.get(b"t", b""))
                if told is not None and told.origin != self._origin:
                    hear(told.event)

    def _suffer(self, error: Exception) -> None:
        told = str(valkey_error(error, doing="reach other replicas"))
        if self.trouble is None:
            _log.error("%s; each replica finds out by itself", told)
        self.trouble = told


async def _end(task: asyncio.Future[bool] | asyncio.Future[None]) -> None:
    """Cancel a task until it ends: the client has been seen to swallow that it is cancelled."""
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=0.1)


async def _read(client: Valkey, last: bytes) -> _Entries:
    """Entries after `last`; waits some seconds for the next one."""
    answer = cast(
        "list[tuple[bytes, _Entries]]",
        await client.xread({STREAM: last}, count=_AT_A_TIME, block=int(_BLOCK_S * 1000)),
    )
    return answer[0][1] if answer else []
