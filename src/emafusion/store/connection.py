"""Connections to a log: how they are opened and with which settings."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from emafusion.domain.errors import BadInput
from emafusion.store.errors import StoreError, store_error
from emafusion.store.migrations import (
    is_empty,
    migrate,
    missing_from,
    refuse_strangers,
)
from emafusion.store.private import make_private

_WAL_KEPT_BYTES = 16 * 2**20


def open_log(path: Path) -> None:
    """Make the file if there is none, private to its owner, and bring it to the present schema.

    Raises:
        StoreError: it cannot be opened or made, is not ours, or is of a newer version.
    """
    try:
        make_private(path)
        connection = _connect(str(path), patience_s=30.0)
    except (OSError, sqlite3.Error) as error:
        raise store_error(path, error, doing="open the log") from error
    try:
        _set_up(connection, path)
    except sqlite3.Error as error:
        raise store_error(path, error, doing="open the log") from error
    finally:
        connection.close()


def connect(path: Path, *, patience_s: float) -> sqlite3.Connection:
    """Open a log that `open_log` has made, for writing, in autocommit mode.

    A transaction that is committed survives the death of this process, however sudden: it is with
    the operating system then. `synchronous=NORMAL` does not wait for the disk, so the last moments
    before a power failure may be lost, but never the file. `patience_s`: how long a statement
    waits for another writer. Checkpoints are left to `housekeeping`, off the request path.
    """
    connection = _connect(_uri(path, "rw"), patience_s=patience_s, uri=True)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
    return connection


def connect_read_only(path: Path, *, patience_s: float = 5.0) -> sqlite3.Connection:
    """Open a log for reading, whether or not a gateway is writing to it.

    Raises:
        BadInput: there is no such file.
        StoreError: it cannot be read, is not ours, or is of another version.
    """
    if not path.is_file():
        raise BadInput(
            "no log here yet; `emafusion serve` makes it with the first answer", where=str(path)
        )
    try:
        connection = _connect(_uri(path, "ro"), patience_s=patience_s, uri=True)
        _check_readable(connection, path)
    except sqlite3.Error as error:
        raise store_error(path, error, doing="read the log") from error
    return connection


def _uri(path: Path, mode: str) -> str:
    """Name the file so that opening it never makes one."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def _connect(name: str, *, patience_s: float, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        name,
        timeout=patience_s,
        isolation_level=None,  # autocommit: transactions are written out
        check_same_thread=False,  # handed between threads, never used by two at once
        uri=uri,
    )


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Settings that live in the file, then the schema; a stranger's file is left as it is."""
    refuse_strangers(connection, path)
    if is_empty(connection):
        # Only possible before the first table: space of deleted rows can be given back in steps.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    migrate(connection, path)


def _check_readable(connection: sqlite3.Connection, path: Path) -> None:
    refuse_strangers(connection, path)
    if missing_from(connection, path):
        raise StoreError(
            f"{path}: written by an older version of emafusion; `emafusion serve` upgrades it"
        )
