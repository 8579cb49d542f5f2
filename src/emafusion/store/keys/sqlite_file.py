"""The SQLite file of keys and counters, and the two connections that lead to it.

It is a file of its own beside the log, since who removes or moves a log must not remove keys and
budgets with it, and since nothing that writes rows of the log should hold up a reservation.

A transaction on it takes some 30 us, less than to hand it to a thread: so it runs in the event
loop, by a connection that gives up at once where another process holds the lock. Then a thread with
a patient connection takes over.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emafusion.store.errors import StoreError, store_error
from emafusion.store.keys.sqlite_schema import MIGRATIONS
from emafusion.store.migrations import migrate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

PATIENCE_S = 2.0
"""How long a transaction waits for another process to let go of the file."""

CHECKPOINT_EVERY = 2000
"""Transactions between two checkpoints, which a thread makes: they wait for the disk."""


class KeysFile:
    """Runs transactions on the file; belongs to one event loop.

    The file is made by the first transaction that writes. Where it was removed or replaced it is
    opened anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._quick: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
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
            return await self._patiently(work, lasting=True)
        try:
            done = _transaction(self._connection(), work)
        except (sqlite3.Error, OSError):  # locked, most of the time: the thread will wait, or tell
            return await self._patiently(work)
        self._count()
        return done

    async def read(self, work: Work[T], *, empty: T) -> T:
        """Run a transaction that only reads; `empty` where there is no file yet."""
        if self._quick is None and not self.path.exists():
            return empty
        return await self.write(work)

    async def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._closed = True
        if self._threaded:
            await asyncio.to_thread(self._thread.shutdown)
        if self._quick is not None:
            self._quick.close()
            self._quick = None

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self.path}: the keys are closed")
        if self._quick is None or _identity(self.path) != self._identity:
            if self._quick is not None:
                self._quick.close()
            open_keys_file(self.path)
            self._quick = _connect(self.path, patience_s=0.0)
            self._identity = _identity(self.path)
        return self._quick

    async def _patiently(self, work: Work[T], *, lasting: bool = False) -> T:
        if self._closed:
            raise StoreError(f"{self.path}: the keys are closed")
        loop, self._threaded = asyncio.get_running_loop(), True
        # Shielded: a client that leaves must not leave it unknown whether this was done.
        ask = loop.run_in_executor(self._thread, _run_patiently, self.path, work, lasting)
        return await asyncio.shield(ask)

    def _count(self) -> None:
        self._done += 1
        if self._done % CHECKPOINT_EVERY == 0:
            self._threaded = True
            self._thread.submit(_checkpoint, self.path)


def open_keys_file(path: Path) -> None:
    """Make the file if there is none, for its owner alone, and bring it to the present schema.

    Raises `StoreError` where it cannot be opened or made, is not ours, or is of a newer version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = _connect(path, patience_s=30.0)
        try:
            migrate(connection, path, migrations=MIGRATIONS)
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise store_error(path, error, doing="open the keys") from error


def _connect(path: Path, *, patience_s: float, lasting: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        timeout=patience_s,
        isolation_level=None,
        check_same_thread=False,  # made in one thread, closed in another, never used by two
        uri=True,
    )
    connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _transaction(connection: sqlite3.Connection, work: Work[T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return done


def _run_patiently(path: Path, work: Work[T], lasting: bool) -> T:  # noqa: FBT001 - passed on by a thread pool
    try:
        open_keys_file(path)
        connection = _connect(path, patience_s=PATIENCE_S, lasting=lasting)
        try:
            return _transaction(connection, work)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise store_error(path, error, doing="use the keys") from error


def _checkpoint(path: Path) -> None:
    """Move what was written into the file itself; whoever is in the way is not waited for."""
    try:
        connection = _connect(path, patience_s=0.0)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
    except sqlite3.Error:
        return  # the next one will do it


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of the file at this path; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - on the request path, where Path.stat costs twice
    except OSError:
        return None
    return found.st_dev, found.st_ino
