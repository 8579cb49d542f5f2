"""Lines of a text file, plain or compressed, one at a time and none without an end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from emafusion.domain.errors import BadInput
from emafusion.tables.batch import LONGEST, too_long

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
BOM = b"\xef\xbb\xbf"


def first_bytes(path: Path) -> bytes:
    """The first 16 bytes of a file.

    Raises `BadInput` where it cannot be read, and for a pipe: tables are read more than once.
    """
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a pipe or a device"
            raise BadInput(f"is {what}; expected a file", where=str(path))
        with path.open("rb") as file:
            return file.read(16)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"cannot be read: {why}", where=str(path)) from error


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of each line, with its end.

    Reads through gzip and zstd. Raises `BadInput` where a file breaks off or a line has no end.
    """
    begin = first_bytes(path)
    if begin.startswith(ZSTD):
        yield from _zstd(path)
        return
    with path.open("rb") as plain:
        file = gzip.GzipFile(fileobj=plain) if begin.startswith(GZIP) else plain
        try:
            yield from _numbered(file, path)
        except (OSError, EOFError, zlib.error) as error:
            raise BadInput(f"cannot be read to its end: {error}", where=str(path)) from error


def _numbered(file: gzip.GzipFile | BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    number = 1
    while line := file.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise too_long(str(path), number)
        yield number, line.removeprefix(BOM) if number == 1 else line
        number += 1


def _zstd(path: Path) -> Iterator[tuple[int, bytes]]:
    """Polars reads what Python cannot; newer ones give it line by line."""
    import polars as pl

    if not hasattr(pl, "scan_lines") or not hasattr(pl.LazyFrame, "collect_batches"):
        what = "is compressed with zstd, which needs a newer polars; or: zstd -d FILE"
        raise BadInput(what, where=str(path))
    try:
        number = 1
        for frame in pl.scan_lines(path).collect_batches(chunk_size=2_000):
            for line in frame["line"]:
                yield number, f"{line}\n".encode()
                number += 1
    except (OSError, pl.exceptions.PolarsError) as error:
        told = " ".join(str(error).split())[:200]
        raise BadInput(f"cannot be read: {told}", where=str(path)) from error
