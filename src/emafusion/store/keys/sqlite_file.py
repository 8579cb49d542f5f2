"""The SQLite file of keys and counters, and the two connections that lead to it.

It is a file of its own beside the log, since who removes or moves a log must not remove keys and
budgets with it, and since nothing that writes rows of the log should hold up a reservation.

A transaction on it takes some 30 us, less than to hand it to a thread: so it runs in the event
loop, by a connection that gives up at once where another process holds the lock. Then a thread with
a patient connection takes over.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emafusion.store.errors import StoreError, store_error
from emafusion.store.keys.sqlite_link import Link

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

PATIENCE_S = 2.0
"""How long a transaction waits for another process to let go of the file."""

IMPATIENT_S = 5.0
"""After one has waited in vain, nobody waits for so long: else each of those behind it would, in
turn."""

CHECKPOINT_EVERY = 2000
"""Transactions between two checkpoints, which a thread makes: they wait for the disk."""


class KeysFile:
    """Runs transactions on the file; belongs to one event loop.

    The file is made by the first transaction that writes. Where it was removed or replaced it is
    opened anew. What only reads waits for nobody.
    """

    def __init__(self, path: Path, *, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self._quick = Link(path, patience_s=0.0)
        self._patient = Link(path, patience_s=patience_s)
        self._impatient_until = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys")
        self._done = 0
        self._threaded = False
        self._closed = False

    async def write(self, work: Work[T], *, lasting: bool = False) -> T:
        """Run a transaction that may write. Raises `StoreError`.

        `lasting`: return only when the disk has it, so that a power failure does not take it back;
        without it, what is done survives the death of the process.
        """
        if lasting:
            return await self._patiently(lambda link: _lastingly(link, work))
        self._refuse_closed()
        try:
            done = _transaction(self._quick.connection(), work)
        except (sqlite3.Error, OSError, StoreError):  # locked, most of the time
            return await self._patiently(lambda link: _transaction(link, work))
        self._count()
        return done

    async def read(self, work: Work[T], *, empty: T) -> T:
        """Run a transaction that only reads; `empty` where there is no file yet."""
        self._refuse_closed()
        if not self._quick.is_open and not self.path.exists():
            return empty
        try:
            return _transaction(self._quick.connection(), work, begin="BEGIN")
        except (sqlite3.Error, OSError, StoreError):
            return await self._patiently(lambda link: _transaction(link, work, begin="BEGIN"))

    async def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._closed = True
        if self._threaded:
            await asyncio.to_thread(self._thread.shutdown)
        self._quick.close()
        self._patient.close()

    async def _patiently(self, run: Work[T]) -> T:
        """Run in the thread, by the connection that waits."""
        self._refuse_closed()
        loop, self._threaded = asyncio.get_running_loop(), True
        # Shielded: a client that leaves must not leave it unknown whether this was done.
        return await asyncio.shield(loop.run_in_executor(self._thread, self._in_thread, run))

    def _in_thread(self, run: Work[T]) -> T:
        patient = time.monotonic() >= self._impatient_until
        try:
            return run(self._patient.connection(patient=patient))
        except (sqlite3.Error, OSError, StoreError) as error:
            if patient:
                self._impatient_until = time.monotonic() + IMPATIENT_S
            if isinstance(error, StoreError):
                raise
            raise store_error(self.path, error, doing="use the keys") from error

    def _count(self) -> None:
        self._done += 1
        if self._done % CHECKPOINT_EVERY == 0:
            self._threaded = True
            self._thread.submit(self._checkpoint)

    def _checkpoint(self) -> None:
        """Move what was written into the file itself; whoever is in the way is not waited for."""
        try:
            self._patient.connection().execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (sqlite3.Error, OSError, StoreError):
            return  # the next one will do it

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError(f"{self.path}: the keys are closed")


def _transaction(
    connection: sqlite3.Connection, work: Work[T], *, begin: str = "BEGIN IMMEDIATE"
) -> T:
    connection.execute(begin)
    try:
        done = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return done


def _lastingly(connection: sqlite3.Connection, work: Work[T]) -> T:
    """Run a transaction and wait until the disk has it."""
    connection.execute("PRAGMA synchronous = FULL")
    try:
        return _transaction(connection, work)
    finally:
        connection.execute("PRAGMA synchronous = NORMAL")
