"""Answers in the SQLite file of the shelf, for the workers of one machine."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

from emafusion.store.answers.ports import Entry
from emafusion.store.shelf.file import ShelfFile

_FIND: Final = "SELECT request, worker, value FROM answers WHERE name = ? AND until_s > ?"
_PUT: Final = (
    "INSERT OR REPLACE INTO answers (name, request, worker, value, until_s) VALUES (?, ?, ?, ?, ?)"
)
_HOLD: Final = "UPDATE answers SET until_s = ? WHERE name = ? AND worker = ? AND value IS NULL"
_FREE: Final = "DELETE FROM answers WHERE name = ? AND worker = ? AND value IS NULL"
OLD: Final = "DELETE FROM answers WHERE until_s <= ?"
_EXCESS: Final = """
    DELETE FROM answers WHERE name IN (
        SELECT name FROM (
            SELECT name, sum(length(value)) OVER (ORDER BY until_s DESC) AS total
            FROM answers WHERE value IS NOT NULL
        ) WHERE total > ?)"""

_Row = tuple[bytes, str, bytes | None]


class SqliteAnswers:
    """`Answers` in a SQLite file; values of `max_bytes` together, about."""

    def __init__(self, file: ShelfFile, *, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._fresh_bytes = max_bytes  # so that it is tidied at the first chance

    async def find(self, name: bytes, /) -> bytes | None:
        """The value under a name."""
        found = await self._file.do(lambda connection: _found(connection, name))
        return None if found is None else found.value

    async def keep(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> None:
        """Put a value under a name."""

        def work(connection: sqlite3.Connection) -> None:
            _put(connection, name, entry, lasts_s=lasts_s)
            self._tidy(connection, len(entry.value or b""))

        await self._file.do(work)

    async def claim(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> Entry:
        """What stands under a name, else this claim."""

        def work(connection: sqlite3.Connection) -> Entry:
            found = _found(connection, name)
            if found is None:
                _put(connection, name, entry, lasts_s=lasts_s)
            return found or entry

        return await self._file.do(work)

    async def hold(self, name: bytes, worker: str, /, *, lasts_s: float) -> bool:
        """Let a claim stand for longer."""

        def work(connection: sqlite3.Connection) -> bool:
            return connection.execute(_HOLD, (time.time() + lasts_s, name, worker)).rowcount > 0

        return await self._file.do(work)

    async def free(self, name: bytes, worker: str, /) -> None:
        """End a claim."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_FREE, (name, worker))

        await self._file.do(work)

    async def close(self) -> None:
        """The file is the shelf's."""

    def _tidy(self, connection: sqlite3.Connection, size: int) -> None:
        """Forget what is past its time or too much, now and then."""
        self._fresh_bytes += size
        if self._fresh_bytes * 8 < self._max_bytes:
            return
        self._fresh_bytes = 0
        connection.execute(OLD, (time.time(),))
        connection.execute(_EXCESS, (self._max_bytes,))


def _found(connection: sqlite3.Connection, name: bytes) -> Entry | None:
    row: _Row | None = connection.execute(_FIND, (name, time.time())).fetchone()
    return None if row is None else Entry(request=row[0], worker=row[1], value=row[2])


def _put(connection: sqlite3.Connection, name: bytes, entry: Entry, *, lasts_s: float) -> None:
    until_s = time.time() + lasts_s
    connection.execute(_PUT, (name, entry.request, entry.worker, entry.value, until_s))
