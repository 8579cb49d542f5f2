"""The log as one file, request by request, in memory that does not grow with it.

A row for each request: the columns of the log, what is nested in it as JSON. Parquet by the extra
`train`, JSON Lines without.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Final, get_args, get_type_hints

import msgspec

from emafusion.domain.errors import BadInput, Unready
from emafusion.store.record import OutcomeRow, Record
from emafusion.store.rows import DETAIL_COLUMNS, OUTCOME_COLUMNS, Value, to_row

if TYPE_CHECKING:
    import polars as pl

ENDINGS: Final = (".parquet", ".jsonl")
_COLUMNS: Final = (*OUTCOME_COLUMNS, *DETAIL_COLUMNS)
_JSON: Final = frozenset(DETAIL_COLUMNS[DETAIL_COLUMNS.index("request") :])
_AT_A_TIME: Final = 500
"""Rows in memory at once."""

Cell = Value | bool
Done = Callable[[int], None]


def check_export(path: Path, *, where: str) -> None:
    """Raise `BadInput` for a file that the log cannot be written to, before any work is done."""
    if path.suffix.lower() not in ENDINGS:
        what = f"must end in {' or '.join(ENDINGS)}, got '{path.name[:80]}'"
        raise BadInput(what, where=where)
    if not path.parent.is_dir():
        raise BadInput("its folder does not exist", where=str(path))
    if os.path.lexists(path):
        raise BadInput("is there already; name another file", where=str(path))


def export_log(records: Iterable[Record], path: Path, *, done: Done = lambda _: None) -> None:
    """Write every record, in its order, whole or not at all. `done` is told how many so far.

    Raises `Unready` where it cannot be written, or the extra for parquet is missing.
    """
    write = _parquet if path.suffix.lower() == ".parquet" else _jsonl
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        write(_batches(records, done), draft)
        draft.rename(path)
    except OSError as error:
        raise Unready(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _batches(records: Iterable[Record], done: Done) -> Iterator[list[tuple[Value | bool, ...]]]:
    left, count = iter(records), 0
    while some := [_values(record) for record in islice(left, _AT_A_TIME)]:
        yield some
        count += len(some)
        done(count)


def _values(record: Record) -> tuple[Value | bool, ...]:
    row = to_row(record)
    return (*row.outcome, *row.detail)


def _jsonl(batches: Iterator[list[tuple[Value | bool, ...]]], path: Path) -> None:
    encode = msgspec.json.Encoder().encode
    with path.open("xb") as file:
        for batch in batches:
            for values in batch:
                named = zip(_COLUMNS, values, strict=True)
                file.write(encode({name: _cell(name, value) for name, value in named}) + b"\n")


def _cell(name: str, value: Cell) -> Cell | msgspec.Raw:
    """What is JSON already is put in as it is, not as a text."""
    return msgspec.Raw(value.encode()) if name in _JSON and isinstance(value, str) else value


def _parquet(batches: Iterator[list[tuple[Value | bool, ...]]], path: Path) -> None:
    try:
        import polars as pl
        from polars.io.plugins import register_io_source
    except ImportError as error:
        how = "pip install 'emafusion[train]', or name a file that ends in .jsonl"
        raise Unready(f"parquet needs a library that is not installed; {how}") from error
    schema = _schema()

    def source(
        _columns: list[str] | None,
        _predicate: pl.Expr | None,
        _rows: int | None,
        _batch: int | None,
    ) -> Iterator[pl.DataFrame]:
        for batch in batches:
            yield pl.DataFrame(batch, schema=schema, orient="row")

    frame = register_io_source(source, schema=schema)
    try:
        frame.sink_parquet(path, compression="zstd", row_group_size=4096, maintain_order=True)
    except pl.exceptions.PolarsError as error:
        raise Unready(f"{path}: cannot be written: {' '.join(str(error).split())[:160]}") from error


def _schema() -> dict[str, pl.DataType]:
    """Types of the columns: those of the log's rows, texts for the rest."""
    import polars as pl

    kinds: dict[object, pl.DataType] = {
        str: pl.String(),
        int: pl.Int64(),
        float: pl.Float64(),
        bool: pl.Boolean(),
    }
    hints = get_type_hints(OutcomeRow)
    narrow = {name: kinds[_without_none(hints[name])] for name in OUTCOME_COLUMNS}
    wide: dict[str, pl.DataType] = dict.fromkeys(DETAIL_COLUMNS, pl.String())
    return {**narrow, **wide, "answer_attempt": pl.Int64()}


def _without_none(hint: object) -> object:
    return get_args(hint)[0] if isinstance(hint, UnionType) else hint
