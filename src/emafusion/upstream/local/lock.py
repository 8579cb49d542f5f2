"""A lock between processes: one of them does the work, the others wait for it."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Generator
from pathlib import Path

from .errors import WeightsError

_PATIENCE_S = 1200.0
_POLL_S = 0.25


@contextlib.contextmanager
def exclusive(path: Path, *, waiting: Callable[[], None]) -> Generator[None, None, None]:
    """Hold the lock file `path`; `waiting` is called once if another process has it.

    The system lets go of the lock when its holder ends, however it ends. Raises `WeightsError`
    after 20 minutes.
    """
    with path.open("a") as file:
        if not _acquired(file.fileno()):
            waiting()
            _wait(file.fileno(), path)
        yield


def _wait(fd: int, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not _acquired(fd):
        if time.monotonic() > deadline:
            raise WeightsError(f"{path}: another process holds it for 20 minutes; end that one")
        time.sleep(_POLL_S)


def _acquired(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
