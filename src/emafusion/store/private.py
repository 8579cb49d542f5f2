"""Making a database file that only its owner can read."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def make_private(path: Path) -> None:
    """Make an empty file for its owner alone, with its folder; what is there stays untouched.

    Untouched means not even opened: when a process closes any descriptor of a file, POSIX takes
    away all its locks on it, those of its open SQLite connections too. Another process then takes
    itself for the last one, and removes the journal that this one still writes to.

    Raises:
        OSError: it cannot be made, or what is there is a folder or not for this user.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        _refuse(errno.EISDIR if path.is_dir() else 0)
        _refuse(0 if os.access(path, os.R_OK | os.W_OK) else errno.EACCES)


def _refuse(reason: int) -> None:
    if reason:
        raise OSError(reason, os.strerror(reason))
