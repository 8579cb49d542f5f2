"""What can go wrong with the store, beyond the caller's mistakes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from emafusion.domain.errors import Unready


class StoreError(Unready):
    """The log could not be opened, read or written: which file and why, in one line."""


def store_error(path: Path, error: sqlite3.Error | OSError, *, doing: str) -> StoreError:
    """Put what the database or the file system says into one line.

    >>> str(store_error(Path("log.sqlite"), sqlite3.OperationalError("disk full"), doing="read"))
    'log.sqlite: cannot read: disk full'
    """
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return StoreError(f"{path}: cannot {doing}: {said.splitlines()[0] if said else 'no reason'}")


class Late(StoreError):
    """An outcome is not safe yet: it waits in memory until the store is back."""
