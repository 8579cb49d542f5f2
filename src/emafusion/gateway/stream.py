"""One streamed answer to a client.

What a live model says goes out as it comes. An answer that is held back until it is judged goes
out whole when it is accepted; until then comments keep the connection alive and say why.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import EmafusionError
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.driver import Run
from emafusion.gateway.facts import Facts, extras, facts, headers
from emafusion.gateway.http import Send, start
from emafusion.gateway.service import Asked
from emafusion.wire.openai import ChunkWriter, deltas_of

EVENTS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache"),
    ("x-accel-buffering", "no"),
)
HELD = "an answer is being read before it is given"
FIRST_COMMENT_S = 2.0
COMMENT_EVERY_S = 10.0


class Stream:
    """Writes one stream; `started` once the client has got its status line.

    `dropped`: query, candidate -> names of the parameters that do not reach it.
    """

    def __init__(
        self, asked: Asked, send: Send, *, created: int, dropped: Callable[[Query, str], str]
    ) -> None:
        self.started = False
        self.run: Run | None = None
        self._asked = asked
        self._send = send
        self._created = created
        self._dropped = dropped
        self._writer: ChunkWriter | None = None
        self._speaking = False

    async def live(self, delta: Delta) -> None:
        """Pass on an event of the model that is answering."""
        self._speaking = True
        writer = self._writer_for(self._live_name())
        data = writer.delta(delta)
        if data:
            await self._start()
            await self._write(data)

    async def finish(self, reply: Reply, outcome: Outcome) -> None:
        """Give what was held back, if it was, then usage and the end."""
        told = facts(outcome)
        writer = self._writer_for(outcome.answer.candidate or reply.model)
        await self._start(headers(told))
        if not self._speaking:
            await self._write(b"".join(writer.delta(delta) for delta in deltas_of(reply)))
        await self._write(writer.final(reply.usage, extras(told)), more=False)

    async def fail(self, error: EmafusionError) -> None:
        """End a stream that has begun and cannot go on."""
        writer = self._writer_for(self._live_name())
        await self._start()
        await self._write(writer.error(error), more=False)

    @asynccontextmanager
    async def kept_alive(self) -> AsyncGenerator[None, None]:
        """While inside, send a comment now and then as long as no model speaks."""
        task = asyncio.ensure_future(self._comment())
        try:
            yield
        finally:
            task.cancel()

    async def _comment(self) -> None:
        await asyncio.sleep(FIRST_COMMENT_S)
        while not self._speaking:
            await self._start()
            await self._write(self._writer_for(self._live_name()).comment(HELD))
            await asyncio.sleep(COMMENT_EVERY_S)

    def _live_name(self) -> str:
        live = self.run.live if self.run is not None else None
        return live.name if live is not None else self._asked.query.requested

    def _writer_for(self, model: str) -> ChunkWriter:
        if self._writer is None or not self._speaking:
            self._writer = ChunkWriter(
                completion_id=f"chatcmpl-{self._asked.query.query_id}",
                created=self._created,
                model=model,
                include_usage=self._asked.query.include_usage,
            )
        return self._writer

    async def _start(self, told: tuple[tuple[str, str], ...] = ()) -> None:
        if self.started:
            return
        self.started = True
        await start(self._send, 200, (*(told or headers(self._known())), *EVENTS))

    def _known(self) -> Facts:
        """Facts that are known before the answer is."""
        known: Facts = {"decision_id": self._asked.query.query_id}
        live = self.run.live if self.run is not None else None
        if live is None:
            return known
        lost = self._dropped(self._asked.query, live.name)
        return known | {"model": live.name} | ({"dropped": lost} if lost else {})

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
