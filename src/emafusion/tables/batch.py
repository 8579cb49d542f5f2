"""Rows as they stand in a file, some thousand at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import TYPE_CHECKING

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.tables.bad import BadRow
from emafusion.tables.columns import Column

if TYPE_CHECKING:
    import polars as pl

Cell = object
"""What JSON can hold."""

ROWS = 20_000
"""Rows of a batch at most."""

BYTES = 8 * 2**20
"""Bytes of text of a batch, about, at most."""

LONGEST = 256 * 2**20
"""Bytes of one row at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Columns of equal length, of any type, by the names of the file.

    `lines`: int64, where each row stands in the file, from 1. `names`: all columns that were seen,
    also those that nobody asked for. `bad`: rows that could not even be read. `left_out`: how many
    things were no rows, by what they were, in the plural.
    """

    columns: Mapping[str, pl.Series]
    lines: pl.Series
    names: frozenset[str]
    bad: tuple[BadRow, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])


def text_of(value: Cell) -> str | None:
    """A cell as text; what is no text becomes JSON.

    >>> text_of("a"), text_of(True), text_of(0.5), text_of([1, "b"])
    ('a', 'true', '0.5', '[1,"b"]')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool | int | list | dict):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)


def series_of(column: Column, values: Sequence[Cell]) -> pl.Series:
    """A column of cells of any JSON types; mixed ones become texts, to be read one by one."""
    import polars as pl

    kinds = set(map(type, values)) - {NoneType}
    if column.kind == "text" or not any(kinds <= plain for plain in _PLAIN):
        return pl.Series(column.name, list(map(text_of, values)), dtype=pl.String)
    dtype = _PLAIN[next(plain for plain in _PLAIN if kinds <= plain)]
    try:
        return pl.Series(column.name, values, dtype=_dtype(dtype))
    except (OverflowError, TypeError):  # of 65 bits and more
        return pl.Series(column.name, list(map(text_of, values)), dtype=pl.String)


def too_long(source: str, line: int) -> BadInput:
    """A row that does not end."""
    return BadInput(
        f"line {line} goes on for more than {LONGEST // 2**20} MB; "
        "a table has one row a line, and quotes that are closed",
        where=source,
    )


_PLAIN: Mapping[frozenset[type], str] = {
    frozenset({bool}): "bool",
    frozenset({int}): "int",
    frozenset({float}): "float",
    frozenset({int, float}): "float",
    frozenset({str}): "text",
}


def _dtype(name: str) -> pl.DataType:
    import polars as pl

    found: dict[str, pl.DataType] = {
        "bool": pl.Boolean(),
        "int": pl.Int64(),
        "float": pl.Float64(),
        "text": pl.String(),
    }
    return found[name]
