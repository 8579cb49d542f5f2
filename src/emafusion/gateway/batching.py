"""Works on batches in the background: a few lines at a time, each a request like any other.

What a line came to is kept before the next is asked, so a process that dies loses what was under
way, and asks nothing twice that was answered. A batch belongs to one process at a time; one that
has died is noticed when its claim runs out.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from emafusion.domain.errors import Unready
from emafusion.gateway.batch_lines import Reader, unanswered
from emafusion.gateway.batch_work import Asker
from emafusion.gateway.batch_worker import has_died, worker_name
from emafusion.gateway.shelving import log
from emafusion.store.shelf.kept import Batch, BatchStatus, Line, LineAnswer, LineFault
from emafusion.store.shelf.ports import Shelf

CLAIM_S, RENEW_S = 12.0, 3.0
"""How long a batch is a process's own, and how often that is renewed."""

LOOK_S = 5.0
"""How often batches of other processes are looked for."""

TIDY_S = 600.0
"""How often the shelf is tidied."""

MOST_BATCHES = 8
"""Batches worked on together, so that a long one does not hold up all others."""

_PAGE = 200


@dataclass(slots=True, kw_only=True, eq=False)
class Batches:
    """Works on what lies on the shelf. `at_once`: lines under way together, of all batches."""

    shelf: Shelf
    asker: Asker
    at_once: int = 4
    clock: Callable[[], float] = time.time
    _worker: str = field(default_factory=worker_name, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _turns: asyncio.Semaphore = field(init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _under_way: dict[str, asyncio.Task[None]] = field(
        default_factory=dict[str, "asyncio.Task[None]"], init=False
    )

    def __post_init__(self) -> None:
        """Make the queue for turns."""
        self._turns = asyncio.Semaphore(self.at_once)

    def wake(self) -> None:
        """There is a new batch, or one is to end."""
        self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Work while inside; what is under way then is given up and asked again later."""
        task = asyncio.create_task(self._work(), name="batches")
        try:
            yield
        finally:
            tasks, keys = [task, *self._under_way.values()], tuple(self._under_way)
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Unready):
                for key in keys:
                    await self.shelf.batches.hold(key, self._worker, lasts_s=0.0)

    async def _work(self) -> None:
        tidied = 0.0
        with contextlib.suppress(Unready):
            await self._inherit()
        while True:
            self._woken.clear()
            try:
                await self._take()
                if self.clock() - tidied > TIDY_S:
                    tidied = self.clock()
                    await self.shelf.tidy(tidied)
            except Unready as error:
                log.error("batches wait: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_S)

    async def _inherit(self) -> None:
        """Free what processes of this machine had claimed that are there no more."""
        for worker in await self.shelf.batches.workers():
            if worker != self._worker and has_died(worker):
                await self.shelf.batches.free(worker)

    async def _take(self) -> None:
        """Claim batches that nobody works on."""
        while len(self._under_way) < MOST_BATCHES:
            batch = await self.shelf.batches.claim(self._worker, lasts_s=CLAIM_S)
            if batch is None:
                return
            task = asyncio.create_task(self._run(batch), name=batch.id)
            self._under_way[batch.id] = task
            task.add_done_callback(partial(self._ended, batch.id))

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        self._under_way.pop(key, None)
        self.wake()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("%s stopped: %s", key, error, exc_info=error)

    async def _run(self, batch: Batch) -> None:
        """Work on one batch until it is over, or another process has it."""
        going = _Going(batch)
        watch = asyncio.create_task(self._watched(going))
        try:
            if batch.status == "validating":
                async with self._reading:  # one file in memory at a time
                    batch = await self._checked(batch)
            if batch.status == "in_progress":
                await self._asked(batch, going)
            if not going.is_lost:
                await self._closed(batch)
        except Unready as error:
            log.error("%s waits: %s", batch.id, error)
            await asyncio.sleep(LOOK_S)
        finally:
            watch.cancel()

    async def _watched(self, going: _Going) -> None:
        """Keep the claim, and see whether the batch is to end."""
        key, held = going.batch.id, time.monotonic()
        while True:
            with contextlib.suppress(Unready):
                begun = time.monotonic()
                if not await self.shelf.batches.hold(key, self._worker, lasts_s=CLAIM_S):
                    going.stop(is_lost=True)
                held = begun
                now = await self.shelf.batches.get(key, owner=None)
                if now is None or now.status == "cancelling" or self.clock() > now.expires_at:
                    going.stop(is_lost=now is None)
            if time.monotonic() - held > CLAIM_S - RENEW_S:
                going.stop(is_lost=True)  # the shelf is gone: another may take it soon
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), RENEW_S)
            await asyncio.sleep(0.05)

    async def _checked(self, batch: Batch) -> Batch:
        """Read the file into lines; a file with a fault fails the batch."""
        reader = Reader(batch.endpoint)
        file = await self.shelf.files.get(batch.input_file, owner=batch.owner)
        data = b"" if file is None else await _all(self.shelf.files.content(file))
        if not data:  # it was deleted, perhaps just now; an empty one is never taken
            gone = LineFault(code="file_not_found", message="the input file is no longer kept")
            return await self._moved(replace(batch, faults=(gone,)), "failed")
        lines: list[Line] = []
        for line in reader.lines(data):
            lines.append(line)
            if len(lines) == _PAGE:
                await self.shelf.batches.fill(batch.id, lines)
                lines.clear()
        await self.shelf.batches.fill(batch.id, lines)
        later = replace(batch, total=reader.total, faults=tuple(reader.faults))
        return await self._moved(later, "failed" if reader.faults else "in_progress")

    async def _asked(self, batch: Batch, going: _Going) -> None:
        """Ask every open line, as its turn comes; what is under way at a stop is finished."""
        tasks: set[asyncio.Task[None]] = set()
        after = 0
        try:
            while lines := await self.shelf.batches.open_lines(batch.id, after=after, limit=_PAGE):
                for line in lines:
                    await self._turns.acquire()
                    if going.is_stopped:
                        self._turns.release()
                        return
                    task = asyncio.create_task(self._line(batch, line, going))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                after = lines[-1].number
        finally:
            await _ended(tasks)

    async def _line(self, batch: Batch, line: Line, going: _Going) -> None:
        try:
            answer = await self.asker.ask(batch, line, stopped=going.stopped)
            if answer is not None:
                await self.shelf.batches.answer(batch.id, (answer,))
        except Unready as error:
            going.stop(is_lost=True)  # it will be claimed again, and this line asked again
            log.error("%s line %d is not kept: %s", batch.id, line.number, error)
        finally:
            self._turns.release()

    async def _closed(self, batch: Batch) -> None:
        """Say how the batch has ended, and why lines of it were not asked."""
        now = await self.shelf.batches.get(batch.id, owner=None)
        if now is None or now.status == "failed":
            return
        status: BatchStatus = "completed"
        if now.status == "cancelling":
            status = "cancelled"
            await self._left_out(now, "batch_cancelled", "the batch was cancelled before")
        elif self.clock() > now.expires_at:
            status = "expired"
            await self._left_out(now, "batch_expired", "the batch ran out of time before")
        if status == "completed" and now.status == "in_progress":
            now = await self._moved(now, "finalizing")
        await self._moved(now, status)

    async def _left_out(self, batch: Batch, code: str, why: str) -> None:
        key = batch.id.removeprefix("batch_")
        while lines := await self.shelf.batches.open_lines(batch.id, after=0, limit=_PAGE):
            answers: list[LineAnswer] = [
                unanswered(line, key=key, code=code, why=why) for line in lines
            ]
            await self.shelf.batches.answer(batch.id, answers)

    async def _moved(self, batch: Batch, status: BatchStatus) -> Batch:
        """The batch in its next state; as it is on the shelf where that was changed meanwhile."""
        later = replace(batch, status=status, at={**batch.at, status: self.clock()})
        if await self.shelf.batches.move(later, old=frozenset({batch.status})):
            return later
        return await self.shelf.batches.get(batch.id, owner=None) or later


class _Going:
    """A batch under way. `is_lost`: another process has it, or it is gone."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.stopped = asyncio.Event()
        self.is_lost = False

    @property
    def is_stopped(self) -> bool:
        """Whether no further line is to be asked."""
        return self.stopped.is_set()

    def stop(self, *, is_lost: bool) -> None:
        """Ask no further line."""
        self.is_lost = self.is_lost or is_lost
        self.stopped.set()


async def _all(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def _ended(tasks: set[asyncio.Task[None]]) -> None:
    """Wait for what is under way; where this is cancelled, so is that."""
    try:
        if tasks:
            await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
