"""The shelf in a SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from emafusion.store.answers.sqlite_answers import OLD, SqliteAnswers
from emafusion.store.shelf.batches import SqliteBatches
from emafusion.store.shelf.file import ShelfFile
from emafusion.store.shelf.files import SqliteFiles
from emafusion.store.shelf.responses import SqliteResponses

_SHARE = 0.5
"""Of the limit of size that responses may have; the other half is for files."""

_OLD_RESPONSES = "DELETE FROM responses WHERE created_at < ?"
_EXCESS = """
    DELETE FROM responses WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(length(items) + length(body)) OVER (ORDER BY created_at DESC) AS total
            FROM responses
        ) WHERE total > ?)"""
_OLD_FILES = """
    DELETE FROM files WHERE coalesce(expires_at, created_at + ?) < ? AND id NOT IN (
        SELECT state ->> '$.input_file' FROM batches
        WHERE status IN ('validating', 'in_progress', 'finalizing', 'cancelling'))"""
_OLD_BATCHES = """
    DELETE FROM batches WHERE created_at < ?
        AND status NOT IN ('validating', 'in_progress', 'finalizing', 'cancelling')"""


class SqliteShelf:
    """A `Shelf` in a SQLite file.

    `retention_days`: how long things are kept that do not say it themselves; `max_mb` (2**20
    bytes): of the whole; None sets no limit. `answers_mb`: of answers that may be given again.
    """

    def __init__(
        self,
        path: Path,
        *,
        retention_days: float | None = 30.0,
        max_mb: float | None = 1024.0,
        answers_mb: float = 64.0,
    ) -> None:
        self._file = ShelfFile(path)
        self._days = retention_days
        self._most = None if max_mb is None else int(max_mb * 2**20 * _SHARE)
        self.responses = SqliteResponses(self._file)
        self.files = SqliteFiles(self._file, most_bytes=self._most)
        self.batches = SqliteBatches(self._file)
        self.answers = SqliteAnswers(self._file, max_bytes=int(answers_mb * 2**20))

    async def tidy(self, now: float, /) -> int:
        """Forget what is past its time or too much; how many."""
        if not self._file.path.exists():
            return 0
        return await self._file.do(lambda connection: self._tidied(connection, now))

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()

    def _tidied(self, connection: sqlite3.Connection, now: float) -> int:
        gone = 0
        lasts_s = float("inf") if self._days is None else self._days * 86_400
        gone += connection.execute(_OLD_RESPONSES, (now - lasts_s,)).rowcount
        if self._most is not None:
            gone += connection.execute(_EXCESS, (self._most,)).rowcount
        gone += connection.execute(_OLD_BATCHES, (now - lasts_s,)).rowcount
        gone += connection.execute(_OLD_FILES, (lasts_s, now)).rowcount
        gone += connection.execute(OLD, (now,)).rowcount
        connection.execute("DELETE FROM contents WHERE id NOT IN (SELECT id FROM files)")
        connection.execute("DELETE FROM lines WHERE batch NOT IN (SELECT id FROM batches)")
        connection.execute("PRAGMA incremental_vacuum(4000)").fetchall()  # the rest next time
        return gone
