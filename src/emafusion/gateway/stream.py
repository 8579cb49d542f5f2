"""One streamed answer to a client, in the shape of the API it asked in.

What a live model says goes out as it comes. An answer that is held back until it is judged goes
out whole when it is accepted; until then the connection is kept alive by what clients skip.
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
from emafusion.gateway.face import Face, StreamWriter
from emafusion.gateway.facts import Facts, facts
from emafusion.gateway.http import Headers, Sender
from emafusion.gateway.names import OWN
from emafusion.gateway.service import Asked

FIRST_COMMENT_S = 2.0
COMMENT_EVERY_S = 10.0


class Stream:
    """Writes one stream.

    `dropped`: query, candidate -> names of the parameters that do not reach it.
    """

    def __init__(
        self,
        asked: Asked,
        sender: Sender,
        *,
        face: Face,
        created: int,
        dropped: Callable[[Query, str], str],
    ) -> None:
        self.run: Run | None = None
        self._asked = asked
        self._sender = sender
        self._face = face
        self._created = created
        self._dropped = dropped
        self._writer = self._made(asked.query.requested)
        self._speaking = False
        self._quiet = True

    async def live(self, delta: Delta) -> None:
        """Pass on an event of the model that is answering."""
        if not self._speaking:
            self._writer = self._made(self._live_name())
            self._speaking = True
        data = self._writer.delta(delta)
        if data:
            self._quiet = False
            self._start()
            self._sender.write(data)
            if self._sender.congested:
                await self._sender.drained()

    def finish(self, reply: Reply, outcome: Outcome) -> None:
        """Give what was held back, if it was, then usage and the end."""
        told = facts(outcome)
        self._start(self._face.headers(told))
        if not self._speaking:
            self._writer = self._made(outcome.answer.candidate or reply.model)
            held = self._face.deltas(reply)
            self._sender.write(b"".join([self._writer.delta(delta) for delta in held]))
        self._sender.write(self._writer.final(reply, told))
        self._sender.finish()

    def fail(self, error: EmafusionError) -> None:
        """End a stream that has begun and cannot go on."""
        self._start()
        self._sender.write(self._writer.error(error))
        self._sender.finish()

    @contextmanager
    def kept_alive(self) -> Generator[None, None, None]:
        """While inside, send what clients skip now and then as long as nothing else is sent.

        Later where the client named a model: nothing is held back there, and as long as no byte
        has left a failure can be told by its status.
        """
        loop = asyncio.get_running_loop()
        first_s = FIRST_COMMENT_S if self._asked.query.requested in OWN else COMMENT_EVERY_S
        self._timer = loop.call_later(first_s, self._wait, loop)
        try:
            yield
        finally:
            self._timer.cancel()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._quiet:
            self._start()
            self._sender.write(self._writer.waiting())
        self._quiet = True
        self._timer = loop.call_later(COMMENT_EVERY_S, self._wait, loop)

    def _live_name(self) -> str:
        live = self.run.live if self.run is not None else None
        return live.name if live is not None else self._asked.query.requested

    def _made(self, model: str) -> StreamWriter:
        return self._face.writer(self._asked.query, created=self._created, model=model)

    def _start(self, told: Headers = ()) -> None:
        if not self._sender.started:
            told = told or self._face.headers(self._known())
            besides = self.run.told if self.run is not None else ()
            self._sender.start((*told, *besides, *self._face.stream_headers))

    def _known(self) -> Facts:
        """Facts that are known before the answer is."""
        known: Facts = {"decision_id": self._asked.query.query_id}
        live = self.run.live if self.run is not None else None
        if live is None:
            return known
        lost = self._dropped(self._asked.query, live.name)
        return known | {"model": live.name} | ({"dropped": lost} if lost else {})
