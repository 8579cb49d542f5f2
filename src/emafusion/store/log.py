"""The outcome log: keeps every request that was answered.

`append` is on the path of every request. Handing a row to a thread and waiting for word back costs
more than committing it where a core must be woken for it (see `design/store.md`), so rows are
committed by the event loop itself, as long as that takes microseconds: the first of one turn of the
loop at once, all others of that turn in one transaction after it. Where it would not (another
process holds the lock, many rows at once, a slow disk), a thread with patience does it, and the
loop goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

from emafusion.domain.errors import BadInput
from emafusion.domain.outcome import Outcome
from emafusion.store.errors import StoreError
from emafusion.store.estimates import LabelNames
from emafusion.store.housekeeping import Housekeeper, Retention
from emafusion.store.length import is_long
from emafusion.store.link import Link
from emafusion.store.recording import Recorder
from emafusion.store.rows import Row, to_row
from emafusion.store.texts import Prompts, Texts

PATIENCE_S = 3.0
"""How long a row waits for another process to let go of the file."""

IN_VAIN_S = 2.0
"""After waiting in vain nobody waits for so long: an answer must not be late for every request."""

_LOOP_ROWS = 16
"""Rows that the event loop commits itself; more go to the thread."""

_SLOW_S, _SLOW_FOR_S = 0.02, 1.0
"""A commit slower than this hands the work to the thread for that long. Above what a busy machine's
scheduler takes away."""

_MOST_WAITING = 10_000
"""Rows in memory, waiting for a disk that does not answer."""

_Waiting = tuple[Row, asyncio.Future[None]]


class OutcomeLog:
    """Appends outcomes to a SQLite file; a `Store`.

    Belongs to one event loop at a time. Several processes may write to one file. What `append`
    has returned from survives `kill -9`; see `connection.connect` for what it does not survive.
    Every caller waits for its own row, so what waits in memory is what is being served. `drafts`:
    takes what is known of an outcome before its answer.
    """

    def __init__(self, link: Link, recorder: Recorder, housekeeper: Housekeeper) -> None:
        self.path = link.path
        self.housekeeper = housekeeper
        self._link = link
        self.drafts = recorder.drafts
        self._record = recorder.record
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outcome-log")
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._turn: asyncio.Handle | None = None
        self._thread_until = self._haste_until = 0.0
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        prompts: Prompts = "full",
        retention_days: float | None = 30.0,
        max_mb: float | None = 1024.0,
        names: LabelNames | None = None,
        tends: bool = True,
    ) -> Self:
        """Open a log, making the file if there is none, and start its housekeeping.

        `prompts`: `hash` keeps no text of prompts and answers. Outcomes older than
        `retention_days` are removed, and the oldest where the file outgrows `max_mb` (2**20 bytes);
        None sets no limit. `names`: of the classes of the taxonomy. `tends`: False where another
        process of this gateway removes what is past keeping.

        Raises:
            BadInput: a limit that is not above 0, or `prompts` of another name.
            StoreError: it cannot be opened or made, is not ours, or is of a newer version.
        """
        texts = Texts(prompts=prompts)
        retention = _retention(retention_days, max_mb)
        link = Link(path, patience_s=PATIENCE_S)
        housekeeper = Housekeeper(path, retention)
        if tends:
            housekeeper.start()
        return cls(link, Recorder(texts=texts, names=names or LabelNames()), housekeeper)

    async def append(self, outcome: Outcome) -> None:
        """Return once the outcome is safe against the death of this process.

        Raises:
            StoreError: it could not be written (disk full, file locked or read-only ...).
        """
        if self._closed:
            raise StoreError(f"{self.path}: the log is closed")
        if len(self._waiting) >= _MOST_WAITING:
            raise StoreError(f"{self.path}: {_MOST_WAITING} outcomes are waiting for the disk")
        loop = asyncio.get_running_loop()
        if is_long(outcome):
            row = await loop.run_in_executor(self._thread, lambda: to_row(self._record(outcome)))
            self._thread_until = max(self._thread_until, time.monotonic() + _SLOW_S)
        else:
            row = to_row(self._record(outcome))
        if self._is_first(loop) and self._write_at_once([row]):
            return
        written: asyncio.Future[None] = loop.create_future()
        self._waiting.append((row, written))
        await written

    def _is_first(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether no row is waiting or was written in this turn of the loop."""
        if self._turn is not None:
            return False
        self._turn = loop.call_soon(self._end_turn)
        return self._writing is None and not self._waiting

    def _end_turn(self) -> None:
        self._turn = None
        self._flush()

    async def close(self) -> None:
        """Write what is waiting, then let go of the file. May be called twice."""
        self._closed = True
        self._flush()
        while self._writing is not None:
            await self._writing
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        self.housekeeper.stop()
        self._thread.shutdown()
        self._link.close()

    def _flush(self) -> None:
        """Write everything that waits, unless the thread is at it: then it asks again."""
        if self._writing is not None or not self._waiting:
            return
        group, self._waiting = self._waiting, []
        if self._write_at_once([row for row, _ in group]):
            _settle(group, [None] * len(group))
        else:
            self._writing = asyncio.ensure_future(self._write_patiently(group))

    def _write_at_once(self, rows: list[Row]) -> bool:
        """Commit in the event loop, if that is likely to be quick; whether it was done."""
        started = time.monotonic()
        if len(rows) > _LOOP_ROWS or started < self._thread_until:
            return False
        done = self._link.write_at_once(rows)
        ended = time.monotonic()
        if ended - started > _SLOW_S:
            self._thread_until = ended + _SLOW_FOR_S
        return done

    async def _write_patiently(self, group: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        rows = [row for row, _ in group]
        in_haste = time.monotonic() < self._haste_until
        write = partial(self._link.write_patiently, rows, in_haste=in_haste)
        errors = await loop.run_in_executor(self._thread, write)
        if any(errors):
            self._haste_until = time.monotonic() + IN_VAIN_S
        _settle(group, errors)
        self._writing = None
        self._flush()


def _settle(group: list[_Waiting], errors: Sequence[StoreError | None]) -> None:
    """Tell everyone who still waits what became of their row."""
    for (_, written), error in zip(group, errors, strict=True):
        if written.done():
            continue  # the caller was cancelled; the row is there all the same
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)


def _retention(days: float | None, max_mb: float | None) -> Retention:
    for name, value in (("retention_days", days), ("max_mb", max_mb)):
        if value is not None and not value > 0:
            raise BadInput(f"must be above 0, or null for no limit, got {value}", where=name)
    return Retention(days=days, max_bytes=None if max_mb is None else int(max_mb * 2**20))
