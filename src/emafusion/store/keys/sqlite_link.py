"""Connections to the file of keys and counters: how it is made, opened, and opened anew."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from emafusion.store.errors import store_error
from emafusion.store.keys.sqlite_schema import MIGRATIONS
from emafusion.store.migrations import is_empty, migrate, missing_from, refuse_strangers
from emafusion.store.private import make_private


class Link:
    """A connection to the file, opened when it is needed and anew where the file is another one."""

    def __init__(self, path: Path, *, patience_s: float) -> None:
        self._path = path
        self._patience_s = patience_s
        self._open: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was opened."""
        return self._open is not None

    def connection(self, *, patient: bool = True) -> sqlite3.Connection:
        """The connection; `patient`: whether it waits for others, where it ever does.

        Raises `StoreError` where the file cannot be opened.
        """
        patience_s = self._patience_s if patient else 0.0
        if self._open is None or _identity(self._path) != self._identity:
            self.close()
            open_keys_file(self._path, patience_s=patience_s)
            self._open = _connect(self._path, patience_s=patience_s)
            self._identity = _identity(self._path)
        elif self._patience_s > 0.0:
            self._open.execute(f"PRAGMA busy_timeout = {int(1000 * patience_s)}")
        return self._open

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.close()
            self._open = None


def open_keys_file(path: Path, *, patience_s: float) -> None:
    """Make the file if there is none, for its owner alone, and bring it to the present schema.

    Waits for `patience_s` where another process is at it, and for nobody where nothing is missing.
    Raises `StoreError` where it cannot be opened or made, is not ours, or is of a newer version.
    """
    try:
        make_private(path)
        connection = _connect(path, patience_s=patience_s)
        try:
            refuse_strangers(connection, path)
            if is_empty(connection) or missing_from(connection, path, MIGRATIONS):
                connection.execute("PRAGMA journal_mode = WAL")
                migrate(connection, path, migrations=MIGRATIONS)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise store_error(path, error, doing="open the keys") from error


def _connect(path: Path, *, patience_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        timeout=patience_s,
        isolation_level=None,
        check_same_thread=False,  # made in one thread, closed in another, never used by two
        uri=True,
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of the file at this path; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - on the request path, where Path.stat costs twice
    except OSError:
        return None
    return found.st_dev, found.st_ino
