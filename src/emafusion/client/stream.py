"""An answer that comes piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from emafusion.client.answer import Answer, answer_of
from emafusion.domain.attempt import Delta
from emafusion.domain.outcome import Outcome
from emafusion.gateway.service import Asked, Service

T = TypeVar("T")


@dataclass(slots=True, kw_only=True, eq=False)
class AsyncStream:
    """Iterate over it for the text; `answer` is there once the last piece has come.

    Text comes live where one model answers, and at once where an answer was held back until it was
    judged. Leaving the loop early cancels the call. Raises the `Failure` where nobody answered.
    """

    service: Service
    asked: Asked
    answer: Answer | None = field(default=None, init=False)

    async def __aiter__(self) -> AsyncGenerator[str, None]:
        """Ask, and give the pieces as they come."""
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        task = asyncio.create_task(self._work(pieces))
        any_came = False
        try:
            while (piece := await pieces.get()) is not None:
                any_came = True
                yield piece
            self.answer = answer_of(await task)
            if not any_came:
                yield self.answer.text
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _work(self, pieces: asyncio.Queue[str | None]) -> Outcome:
        async def sink(delta: Delta) -> None:
            if delta.text:
                pieces.put_nowait(delta.text)

        run = self.service.run(sink=sink, timeout_s=self.asked.objective.max_latency_s)
        try:
            return await self.service.answer(self.asked, run)
        finally:
            pieces.put_nowait(None)


class Wait(Protocol):
    """Runs async work elsewhere and waits for what it gives."""

    def __call__(self, work: Callable[[], Awaitable[T]]) -> T:
        """Wait."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Stream:
    """The same for code that is not async."""

    inner: AsyncStream
    wait: Wait

    @property
    def answer(self) -> Answer | None:
        """The whole answer, once the last piece has come."""
        return self.inner.answer

    def __iter__(self) -> Iterator[str]:
        """Give the pieces as they come."""
        pieces = aiter(self.inner)
        try:
            while (piece := self.wait(lambda: anext(pieces, None))) is not None:
                yield piece
        finally:
            self.wait(pieces.aclose)
