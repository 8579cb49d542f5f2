"""The file by which a running gateway is found: its process, its address, what came of reloads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

_PREFIX, _SUFFIX = "gateway-", ".json"
_ROOM_BYTES = 4096
_READS = 5
"""A file may be read in the middle of a write all the same; not so often in a row."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file. `reloads`: how often it was asked; `refused`: what the last said."""

    pid: int
    url: str
    reloads: int = 0
    refused: str | None = None


class Status:
    """Keeps the file of this gateway while it runs; a context manager.

    The file is locked as long as its gateway lives, so that one which was left behind by a crash is
    known for what it is. Where the folder cannot be written to there is no file, and the gateway
    must be found by other means.
    """

    def __init__(self, folder: Path, port: int, *, url: str) -> None:
        self._path = folder / f"{_PREFIX}{port}{_SUFFIX}"
        self._told = Told(pid=os.getpid(), url=url)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Kept open for the lock; not inherited by workers, who may outlive it by a moment.
            self._path.touch()
            self._file = self._path.open("r+b", buffering=0)
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._file.close()

    def reloaded(self, refused: str | None) -> None:
        """Say what came of a reload."""
        told = self._told
        self._told = msgspec.structs.replace(told, reloads=told.reloads + 1, refused=refused)
        with contextlib.suppress(OSError):
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        content = msgspec.json.encode(self._told) + b"\n"
        # One write over all that is there, which does not grow: who reads meanwhile finds it whole.
        size = os.fstat(self._file.fileno()).st_size
        os.pwrite(self._file.fileno(), content.ljust(max(size, _ROOM_BYTES)), 0)


def running(folder: Path) -> Iterator[tuple[Path, Told]]:
    """The gateways that run with this folder, with their files."""
    for path in sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}")):
        told = read(path)
        if told is not None and _is_held(path):
            yield path, told


def read(path: Path) -> Told | None:
    """What a file says; None where it says nothing."""
    for _ in range(_READS):
        try:
            return msgspec.json.decode(path.read_bytes(), type=Told)
        except OSError:
            return None
        except msgspec.MsgspecError:
            continue
    return None


def _is_held(path: Path) -> bool:
    """Whether the gateway that made the file lives."""
    if sys.platform == "win32":
        return True
    with path.open("rb") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False
