"""How tables are written: which files they can be, and what the disk says to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from emafusion.domain.errors import BadInput, Unready

if TYPE_CHECKING:
    import polars as pl

OUT_ENDINGS: Final = (".parquet", ".jsonl", ".ndjson", ".csv")


def check_out(path: Path, *, where: str, force: bool) -> None:
    """Raise `BadInput` where no table can be written to that path, before any work is done."""
    if path.suffix.lower() not in OUT_ENDINGS:
        raise BadInput(f"must end in {', '.join(OUT_ENDINGS)}, got '{path.name[:80]}'", where=where)
    if not path.parent.is_dir():
        raise BadInput("its folder does not exist", where=str(path))
    if path.is_dir():
        raise BadInput("is a folder", where=str(path))
    if os.path.lexists(path) and not force:
        raise BadInput("is there already; --force overwrites it", where=str(path))


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Put what the disk says into one line: raises `Unready` for it."""
    import polars as pl

    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        said = getattr(error, "strerror", None) or str(error)
        told = " ".join(str(said).split()).rpartition("IO error: ")[2][:160]
        raise Unready(f"{path}: cannot be written: {told}") from error


def write_text(frames: Iterable[pl.DataFrame], path: Path, *, like: Path) -> None:
    """Write frames below each other as JSON Lines or CSV, by the ending of `like`."""
    write = _TEXTS[like.suffix.lower()]
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            write(frame, file, number == 0)


def _jsonl(frame: pl.DataFrame, file: IO[bytes], _first: bool) -> None:  # noqa: FBT001 - of a table
    frame.write_ndjson(file)


def _csv(frame: pl.DataFrame, file: IO[bytes], first: bool) -> None:  # noqa: FBT001 - of a table
    frame.write_csv(file, include_header=first)


_TEXTS: Final[Mapping[str, Callable[[pl.DataFrame, IO[bytes], bool], None]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
}
