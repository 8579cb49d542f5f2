"""Rows of a foreign table with all its columns: parquet, CSV, JSON Lines, or a JSON array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.tables.csv_text import header_of, records_of, wrong_record
from emafusion.tables.importing.found import Found
from emafusion.tables.importing.reach import Json, items, reach
from emafusion.tables.json_kinds import is_list, is_object
from emafusion.tables.jsonl import Fields, fields_of
from emafusion.tables.lines import first_bytes, lines_of

SLICE = 2_000
"""Rows of a foreign parquet file that are held at once: they may be wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A row with all its cells, or what is wrong with it."""

    line: int
    fields: Fields | str
    size: int = 0
    unit: str = "line"

    def place(self, path: Path) -> Found:
        """Where it stands, for what is found there."""
        return Found(source=str(path), line=self.line, unit=self.unit, size=self.size)


def foreign_rows(path: Path) -> Iterator[Foreign]:
    """Rows of a table. Raises `BadInput` for a pickle, and for what is no table."""
    begin = first_bytes(path)
    endings = "".join(path.suffixes[-2:]).lower()
    if path.suffix.lower() in {".pkl", ".pickle"} or begin.startswith(b"\x80"):
        raise BadInput(
            "is a pickle, which would run code when read; export it as parquet, CSV or JSON first",
            where=str(path),
        )
    if begin.startswith(b"PAR1"):
        yield from _parquet(path)
    elif ".csv" in endings:
        yield from _csv(path)
    elif _is_whole(path, begin):
        for number, row in enumerate(_array(read_json(path), path), start=1):
            fields = row if is_object(row) else "is no JSON object, which a row must be"
            yield Foreign(line=number, fields=fields, unit="row")
    else:
        for number, line in lines_of(path):
            if line.strip():
                yield Foreign(line=number, fields=fields_of(line), size=len(line))


def _is_whole(path: Path, begin: bytes) -> bool:
    """Whether a file is one piece of JSON; collectors write JSON Lines into files named `.json`."""
    if begin.lstrip().startswith(b"["):
        return True
    if path.suffix.lower() != ".json":
        return False
    lines = (line for _, line in lines_of(path) if line.strip())
    first, second = next(lines, b""), next(lines, None)
    return second is None or not is_object(fields_of(first))


def read_json(path: Path) -> Json:
    """A whole file of JSON, plain or compressed."""
    try:
        read: object = msgspec.json.decode(b"".join(line for _, line in lines_of(path)))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise BadInput(f"is not JSON: {str(error)[:120]}", where=str(path)) from error
    return read


def files_of(sources: Sequence[Path], *endings: str) -> Iterator[Path]:
    """The files; of a folder all that end so, at any depth, in the order of their names."""
    for source in sources:
        if not source.is_dir():
            yield source
            continue
        found = sorted(path for path in source.rglob("*") if path.name.endswith(endings))
        if not found:
            raise BadInput(f"no file in it ends in {', '.join(endings)}", where=str(source))
        yield from found


def _array(read: Json, path: Path) -> Sequence[Json]:
    """The rows of a JSON file: the array that it is, or that it wraps."""
    wrapped = (read, *(reach(read, name) for name in ("data", "rows", "records", "logs")))
    rows = next((items(each) for each in wrapped if is_list(each)), None)
    if rows is None:
        if is_object(read):  # a single line of JSON Lines
            return [read]
        raise BadInput("is no JSON array of objects", where=str(path))
    return rows


def _csv(path: Path) -> Iterator[Foreign]:
    records = records_of(path)
    names = header_of(next(records, None), path)
    for number, record, size in records:
        what = record if isinstance(record, str) else wrong_record(record, names)
        if what is not None:
            yield Foreign(line=number, fields=what, size=size)
        elif not isinstance(record, str):
            fields: Fields = dict(zip(names, record, strict=True))
            yield Foreign(line=number, fields=fields, size=size)


def _parquet(path: Path) -> Iterator[Foreign]:
    import polars as pl

    try:
        lazy = pl.scan_parquet(path, glob=False)
        rows = int(lazy.select(pl.len()).collect().item())
        for start in range(0, rows, SLICE):
            frame = lazy.slice(start, SLICE).collect()
            size = int(frame.estimated_size()) // max(frame.height, 1)
            for number, row in enumerate(frame.iter_rows(named=True), start=start + 1):
                yield Foreign(line=number, fields=row, size=size, unit="row")
    except (OSError, pl.exceptions.PolarsError) as error:
        told = " ".join(str(error).split())[:200]
        raise BadInput(f"cannot be read as parquet: {told}", where=str(path)) from error
