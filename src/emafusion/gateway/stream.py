"""One streamed answer to a client.

What a live model says goes out as it comes. An answer that is held back until it is judged goes
out whole when it is accepted; until then comments keep the connection alive and say why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import EmafusionError
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.driver import Run
from emafusion.gateway.facts import Facts, facts, headers
from emafusion.gateway.http import Sender
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
    """Writes one stream.

    `dropped`: query, candidate -> names of the parameters that do not reach it.
    """

    def __init__(
        self, asked: Asked, sender: Sender, *, created: int, dropped: Callable[[Query, str], str]
    ) -> None:
        self.run: Run | None = None
        self._asked = asked
        self._sender = sender
        self._created = created
        self._dropped = dropped
        self._writer = self._made(asked.query.requested)
        self._speaking = False

    async def live(self, delta: Delta) -> None:
        """Pass on an event of the model that is answering."""
        if not self._speaking:
            self._writer = self._made(self._live_name())
            self._speaking = True
        data = self._writer.delta(delta)
        if data:
            self._start()
            self._sender.write(data)
            if self._sender.congested:
                await self._sender.drained()

    def finish(self, reply: Reply, outcome: Outcome) -> None:
        """Give what was held back, if it was, then usage and the end."""
        told = facts(outcome)
        self._start(headers(told))
        if not self._speaking:
            self._writer = self._made(outcome.answer.candidate or reply.model)
            self._sender.write(b"".join(self._writer.delta(delta) for delta in deltas_of(reply)))
        self._sender.write(self._writer.final(reply.usage, told))
        self._sender.finish()

    def fail(self, error: EmafusionError) -> None:
        """End a stream that has begun and cannot go on."""
        self._start()
        self._sender.write(self._writer.error(error))
        self._sender.finish()

    @contextmanager
    def kept_alive(self) -> Generator[None, None, None]:
        """While inside, send a comment now and then as long as no model speaks."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(FIRST_COMMENT_S, self._comment, loop)
        try:
            yield
        finally:
            self._timer.cancel()

    def _comment(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._speaking:
            self._start()
            self._sender.write(self._writer.comment(HELD))
            self._timer = loop.call_later(COMMENT_EVERY_S, self._comment, loop)

    def _live_name(self) -> str:
        live = self.run.live if self.run is not None else None
        return live.name if live is not None else self._asked.query.requested

    def _made(self, model: str) -> ChunkWriter:
        return ChunkWriter(
            completion_id=f"chatcmpl-{self._asked.query.query_id}",
            created=self._created,
            model=model,
            include_usage=self._asked.query.include_usage,
        )

    def _start(self, told: tuple[tuple[str, str], ...] = ()) -> None:
        if not self._sender.started:
            self._sender.start((*(told or headers(self._known())), *EVENTS))

    def _known(self) -> Facts:
        """Facts that are known before the answer is."""
        known: Facts = {"decision_id": self._asked.query.query_id}
        live = self.run.live if self.run is not None else None
        if live is None:
            return known
        lost = self._dropped(self._asked.query, live.name)
        return known | {"model": live.name} | ({"dropped": lost} if lost else {})
