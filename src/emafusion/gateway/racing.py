"""Several calls at once, of which one is given: who may speak, and who is ended.

Where the calls stream to the client, the first to say a word has the floor and the others are
ended at that moment: what a client has seen the start of cannot be changed for another answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from emafusion.domain.attempt import Attempt, Delta
from emafusion.domain.command import Call, Race
from emafusion.domain.errors import Cancelled
from emafusion.domain.ports import Sink

Making = Callable[[Call, Sink | None], Awaitable[Attempt]]
"""Makes one call, its stream through a sink."""


class Racing:
    """One race under way.

    In a staggered one a call that ends without a reply makes the next begin at once, and
    `may_start` is asked before each but the first.
    """

    def __init__(
        self, race: Race, make: Making, *, sink: Sink | None, may_start: Callable[[], bool]
    ) -> None:
        self._race = race
        self._make = make
        self._sink = sink
        self._may_start = may_start
        self._loop = asyncio.get_running_loop()
        self._began: dict[int, float] = {}
        self._floor: int | None = None
        self._tasks: list[asyncio.Task[Attempt | None]] = []
        self._ended = asyncio.Event()

    async def run(self) -> tuple[Attempt, ...]:
        """Wait until `need` calls have a reply or all have ended; a bug in one is raised here."""
        calls = self._race.calls
        self._tasks = [asyncio.create_task(self._one(n, call)) for n, call in enumerate(calls)]
        pending = set(self._tasks)
        try:
            while pending:
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                if self._replies() >= self._race.need:
                    break
                self._ended.set()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        return tuple(
            self._attempt(task) or self._beaten(n, calls[n]) for n, task in enumerate(self._tasks)
        )

    async def _one(self, number: int, call: Call) -> Attempt | None:
        """Make one call in its turn; None where it was not to be made."""
        delay_s = number * self._race.stagger_s
        if delay_s > 0.0:
            try:
                async with asyncio.timeout(delay_s):
                    await self._ended.wait()
            except TimeoutError:
                pass
            if self._floor is not None or not self._may_start():
                return None
        self._began[number] = self._loop.time()
        speak = self._speaker(number) if call.live and self._sink is not None else None
        return await self._make(call, speak)

    def _speaker(self, number: int) -> Sink:
        async def speak(delta: Delta) -> None:
            if self._floor is None:
                self._floor = number
                for n, task in enumerate(self._tasks):
                    if n != number:
                        task.cancel()
            if self._floor == number and self._sink is not None:
                await self._sink(delta)

        return speak

    def _replies(self) -> int:
        found = (self._attempt(task) for task in self._tasks)
        return sum(attempt is not None and attempt.reply is not None for attempt in found)

    def _attempt(self, task: asyncio.Task[Attempt | None]) -> Attempt | None:
        return task.result() if task.done() and not task.cancelled() else None

    def _beaten(self, number: int, call: Call) -> Attempt:
        began = self._began.get(number)
        latency_s = 0.0 if began is None else self._loop.time() - began
        failure = Cancelled("another answer came first")
        return Attempt(candidate=call.candidate.name, failure=failure, latency_s=latency_s)
