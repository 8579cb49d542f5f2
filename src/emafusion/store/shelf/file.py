"""The SQLite file of the shelf, and the thread that works on it.

It is a file of its own beside the log: an upload of many megabytes holds the lock for as long as it
takes to write, and no row of the log should wait for that; and the log's limit of size should not
push outcomes out to make room for uploads.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emafusion.store.errors import StoreError, store_error
from emafusion.store.migrations import migrate
from emafusion.store.private import make_private
from emafusion.store.shelf.schema import MIGRATIONS

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

PATIENCE_S = 10.0
"""How long a transaction waits for another process to let go of the file."""


class ShelfFile:
    """Runs transactions on the file, one after the other, in a thread.

    The file is made by the first of them. Where it was removed or replaced it is opened anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shelf")
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._closed = False

    async def do(self, work: Work[T]) -> T:
        """Run a transaction. Raises `StoreError`, or what `work` raises after taking it back."""
        if self._closed:
            raise StoreError(f"{self.path}: the shelf is closed")
        loop = asyncio.get_running_loop()
        # Shielded: a client that leaves must not leave it unknown whether this was done.
        return await asyncio.shield(loop.run_in_executor(self._thread, self._run, work))

    async def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)
        self._let_go()

    def _run(self, work: Work[T]) -> T:
        try:
            return _transaction(self._opened(), work)
        except (sqlite3.Error, OSError) as error:
            raise store_error(self.path, error, doing="use the shelf") from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or _identity(self.path) != self._identity:
            self._let_go()
            self._connection = _open(self.path)
            self._identity = _identity(self.path)
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(path: Path) -> sqlite3.Connection:
    make_private(path)
    connection = sqlite3.connect(
        path,
        timeout=PATIENCE_S,
        isolation_level=None,
        check_same_thread=False,  # closed by another thread than uses it, when that has ended
    )
    try:
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        migrate(connection, path, migrations=MIGRATIONS)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
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


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of the file at this path; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
