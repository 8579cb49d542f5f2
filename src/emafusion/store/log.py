"""The outcome log: keeps every request that was answered.

`append` is on the path of every request. Handing a row to a thread and waiting for word back costs
three times what committing it costs (see `design/store.md`), so rows are committed by the event
loop itself, all rows of one turn of the loop in one transaction, as long as that takes
microseconds. Where it would not (another process holds the lock, many rows at once, a slow disk),
a thread with patience does it, and the loop goes on.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from emafusion.domain.outcome import Outcome
from emafusion.store.connection import connect, open_log
from emafusion.store.errors import StoreError, store_error
from emafusion.store.estimates import LabelNames
from emafusion.store.recording import Recorder
from emafusion.store.rows import Row, insert, to_row
from emafusion.store.texts import Prompts, Texts

PATIENCE_S = 10.0
"""How long a row waits for another process to let go of the file."""

_LOOP_ROWS = 16
"""Rows that the event loop commits itself; more go to the thread."""

_SLOW_S, _SLOW_FOR_S = 0.004, 2.0
"""A commit slower than this hands the work to the thread for that long."""

_MOST_WAITING = 10_000
"""Rows in memory, waiting for a disk that does not answer."""

_Waiting = tuple[Row, asyncio.Future[None]]


class OutcomeLog:
    """Appends outcomes to a SQLite file; a `Store`.

    Belongs to one event loop at a time. Several processes may write to one file. What `append`
    has returned from survives `kill -9`; see `connection.connect` for what it does not survive.
    """

    def __init__(self, path: Path, recorder: Recorder, *, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self._record = recorder.record
        self._at_once = connect(path, patience_s=0.0)
        self._patient = connect(path, patience_s=patience_s)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outcome-log")
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Future[None] | None = None
        self._thread_until = 0.0
        self._closed = False

    @classmethod
    def open(
        cls, path: Path, *, prompts: Prompts = "full", names: LabelNames | None = None
    ) -> Self:
        """Open a log, making the file if there is none.

        Raises:
            StoreError: it cannot be opened or made, is not ours, or is of a newer version.
        """
        open_log(path)
        return cls(path, Recorder(texts=Texts(prompts=prompts), names=names or LabelNames()))

    async def append(self, outcome: Outcome) -> None:
        """Return once the outcome is safe against the death of this process.

        Raises:
            StoreError: it could not be written (disk full, file locked or read-only ...).
        """
        if self._closed:
            raise StoreError(f"{self.path}: the log is closed")
        if len(self._waiting) >= _MOST_WAITING:
            raise StoreError(f"{self.path}: {_MOST_WAITING} outcomes are waiting for the disk")
        row = to_row(self._record(outcome))
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((row, written))
        await written

    async def close(self) -> None:
        """Write what is waiting, then let go of the file. May be called twice."""
        self._closed = True
        self._flush()
        while self._writing is not None:
            await self._writing
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        self._thread.shutdown()
        self._at_once.close()
        self._patient.close()

    def _flush(self) -> None:
        """Write everything that waits, unless the thread is at it: then it asks again."""
        if self._writing is not None or not self._waiting:
            return
        group, self._waiting = self._waiting, []
        if not self._written_at_once(group):
            loop = asyncio.get_running_loop()
            self._writing = loop.create_task(self._write_patiently(group))

    def _written_at_once(self, group: list[_Waiting]) -> bool:
        """Commit in the event loop, if that is quick; whether it was done."""
        started = time.monotonic()
        if len(group) > _LOOP_ROWS or started < self._thread_until:
            return False
        try:
            insert(self._at_once, [row for row, _ in group])
        except sqlite3.Error:
            return False  # the thread tries again with patience, and says what is wrong
        finally:
            if time.monotonic() - started > _SLOW_S:
                self._thread_until = time.monotonic() + _SLOW_FOR_S
        _settle(group, [None] * len(group))
        return True

    async def _write_patiently(self, group: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        rows = [row for row, _ in group]
        errors = await loop.run_in_executor(self._thread, self._insert_patiently, rows)
        _settle(group, errors)
        self._writing = None
        self._flush()

    def _insert_patiently(self, rows: list[Row]) -> list[StoreError | None]:
        """Commit rows together; where that fails, one by one. An error for each, or None."""
        together = self._try(rows)
        if together is None or len(rows) == 1:
            return [together] * len(rows)
        return [self._try([row]) for row in rows]

    def _try(self, rows: list[Row]) -> StoreError | None:
        try:
            insert(self._patient, rows)
        except sqlite3.Error as error:
            return store_error(self.path, error, doing="log an outcome")
        return None


def _settle(group: list[_Waiting], errors: Sequence[StoreError | None]) -> None:
    """Tell everyone who still waits what became of their row."""
    for (_, written), error in zip(group, errors, strict=True):
        if written.done():
            continue  # the caller was cancelled; the row is there all the same
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
