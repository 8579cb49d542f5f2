"""Keeps the log small, off the path of requests: checkpoints, and retention by age and size.

A thread of its own. Rows are deleted oldest first, a few at a time with pauses
between, so that a row to be logged waits for milliseconds at most; nothing is read into memory.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from emafusion.store.connection import connect
from emafusion.store.errors import store_error

_LOGGER = logging.getLogger(__name__)
_CHECKPOINT_BYTES = 4 * 2**20
_WAL_TOO_LONG_BYTES = 64 * 2**20
_PATIENCE_S = 0.25
_TOLD_EVERY = 5000
_SHRUNK = 0.9
"""Where the file is too large, it is brought to this share of the limit, not to its very edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is kept: rows younger than `days`, and the newest that fit `max_bytes`; None: no limit.

    `batch` rows are deleted at a time, `pause_s` between; looked at every `every_s` seconds.
    """

    days: float | None = 30.0
    max_bytes: int | None = 1024 * 2**20
    batch: int = 100
    pause_s: float = 0.02
    every_s: float = 60.0


_FORGET_WORDS = """
    UPDATE feedback SET corrected = NULL, comment = NULL
    WHERE created_at < ? AND (corrected IS NOT NULL OR comment IS NOT NULL)"""


class Housekeeper:
    """Does the housekeeping of one log until it is told to stop.

    `removed` and `running` show how far it has come.
    """

    def __init__(
        self, path: Path, retention: Retention, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self.retention = retention
        self.removed = 0
        self.running = False
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="outcome-log-tidy", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, within the time of one batch."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def tidy(self) -> int:
        """Delete what is too old or too much, give the space back; returns the number of rows."""
        before, self.running = self.removed, True
        try:
            with closing(connect(self.path, patience_s=_PATIENCE_S)) as connection:
                self._remove_old(connection)
                self._remove_excess(connection)
                self._give_back(connection)
        finally:
            self.running = False
        gone = self.removed - before
        if gone:
            _LOGGER.info("%s: %d outcomes removed, past what is kept", self.path, gone)
        return gone

    def _work(self) -> None:
        """Checkpoint where there is something to, every second; tidy up every `every_s`."""
        due = 0.0
        while True:
            try:
                checkpoint(self.path)
                if time.monotonic() >= due:
                    self.tidy()
                    due = time.monotonic() + self.retention.every_s
            except sqlite3.Error as error:
                # Another process may hold the lock, or the file be gone: said, and tried again.
                _LOGGER.warning("%s", store_error(self.path, error, doing="tidy the log"))
            if self._stop.wait(min(1.0, self.retention.every_s)):
                return

    def _remove_old(self, connection: sqlite3.Connection) -> None:
        if self.retention.days is None:
            return
        oldest = self._clock() - self.retention.days * 86_400
        while self._remove_batch(connection, before=oldest):
            pass
        connection.execute(_FORGET_WORDS, (oldest,))

    def _remove_excess(self, connection: sqlite3.Connection) -> None:
        most = self.retention.max_bytes
        if most is None or used_bytes(connection) <= most:
            return
        while used_bytes(connection) > most * _SHRUNK:
            if not self._remove_batch(connection, before=float("inf")):
                return

    def _remove_batch(self, connection: sqlite3.Connection, *, before: float) -> bool:
        """Delete the oldest rows made before then; whether there may be more."""
        gone = delete_oldest(connection, before=before, limit=self.retention.batch)
        self.removed += gone
        if self.removed // _TOLD_EVERY > (self.removed - gone) // _TOLD_EVERY:
            _LOGGER.info("%s: %d outcomes removed so far", self.path, self.removed)
        checkpoint(self.path)
        return gone == self.retention.batch and not self._stop.wait(self.retention.pause_s)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        """Return free pages to the file system, a few at a time."""
        while _free_pages(connection) > 0 and not self._stop.is_set():
            free = _free_pages(connection)
            connection.execute("PRAGMA incremental_vacuum(256)").fetchall()
            checkpoint(self.path)
            if _free_pages(connection) == free or self._stop.wait(self.retention.pause_s):
                return


def delete_oldest(connection: sqlite3.Connection, *, before: float, limit: int) -> int:
    """Delete at most `limit` rows made before a time (Unix seconds), oldest first; how many."""
    chosen = "SELECT id FROM outcomes WHERE created_at < ? ORDER BY created_at LIMIT ?"
    connection.execute("BEGIN IMMEDIATE")
    try:
        ids = connection.execute(chosen, (before, limit)).fetchall()
        connection.executemany("DELETE FROM details WHERE id = ?", ids)
        connection.executemany("DELETE FROM outcomes WHERE id = ?", ids)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return len(ids)


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
    size = int(connection.execute("PRAGMA page_size").fetchone()[0])
    return (pages - _free_pages(connection)) * size


def checkpoint(path: Path) -> None:
    """Move what the write-ahead log holds into the file, if it has grown.

    That holds up no writer, unless they have outrun it for long.
    """
    wal = path.with_name(f"{path.name}-wal")
    if _size(wal) < _CHECKPOINT_BYTES:
        return
    with closing(connect(path, patience_s=_PATIENCE_S)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        if _size(wal) > _WAL_TOO_LONG_BYTES:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _free_pages(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])
