"""Raw rows -> rows of a table: every cell converted or its row named as bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emafusion.domain.errors import BadInput
from emafusion.tables.bad import BadRow, shown
from emafusion.tables.batch import Batch, text_of
from emafusion.tables.columns import Column, Shape
from emafusion.tables.query import query_of

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clean:
    """Good rows with every column of the shape, and the bad ones."""

    frame: pl.DataFrame
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cells:
    """A column converted. `wrong`: bool, cells that cannot be."""

    values: pl.Series
    wrong: pl.Series


def clean(batch: Batch, shape: Shape, *, source: str, unit: str = "line") -> Clean:
    """Convert a batch. `source`, `unit`: how bad rows are named."""
    import polars as pl

    told: dict[int, str] = {}
    columns: list[pl.Series] = []
    for column in shape.columns:
        raw = batch.columns.get(column.name)
        if raw is None:
            raw = pl.Series(column.name, [None] * batch.lines.len(), dtype=pl.Null)
        cells = _converted(raw, column)
        columns.append(cells.values)
        for row in cells.wrong.arg_true().to_list():
            told.setdefault(row, f"{column.name} must be {column.right}, got {shown(raw[row])}")
    frame = pl.DataFrame(columns)
    for row, what in _missing(frame, shape):
        told.setdefault(row, what)
    bad = [
        BadRow(source=source, line=batch.lines[row], what=what, unit=unit)
        for row, what in told.items()
    ]
    return Clean(frame=_without(frame, told), bad=tuple(sorted((*batch.bad, *bad))))


def _without(frame: pl.DataFrame, told: dict[int, str]) -> pl.DataFrame:
    import polars as pl

    if not told:
        return frame
    return frame.filter(~pl.int_range(pl.len()).is_in(list(told)))


def _converted(raw: pl.Series, column: Column) -> _Cells:
    import polars as pl

    if raw.dtype == pl.Null:
        values = raw.cast(pl.String if column.kind == "text" else _number_type(column))
        return _Cells(values=values, wrong=raw.is_not_null())
    return _texts(raw) if column.kind == "text" else _numbers(raw, column)


def _texts(raw: pl.Series) -> _Cells:
    """Everything can be text."""
    import polars as pl

    if raw.dtype != pl.String:
        if raw.dtype.is_integer() or isinstance(raw.dtype, pl.Categorical | pl.Enum):
            raw = raw.cast(pl.String)
        else:
            raw = pl.Series(raw.name, list(map(text_of, raw.to_list())), dtype=pl.String)
    return _Cells(values=raw, wrong=_all(raw.len(), value=False))


def _numbers(raw: pl.Series, column: Column) -> _Cells:
    """Numbers, or texts that say one; an empty text is none."""
    import polars as pl

    said = raw.is_not_null()
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
        said &= raw != ""
        if column.flags:
            raw = raw.str.replace("^(?i)true$", "1").str.replace("^(?i)false$", "0")
    elif raw.dtype == pl.Boolean and column.flags:
        raw = raw.cast(pl.Int64)
    if not (raw.dtype.is_numeric() or raw.dtype == pl.String):
        return _Cells(values=pl.Series(column.name, [None] * raw.len(), dtype=_number_type(column)),
                      wrong=said)  # fmt: skip
    number = raw.cast(pl.Float64, strict=False)
    wrong = said & ~(number.is_finite() & _within(number, column)).fill_null(value=False)
    if column.kind == "number":
        return _Cells(values=number.alias(column.name), wrong=wrong)
    whole = raw.cast(pl.Int64, strict=False) if raw.dtype == pl.String else None
    rounded = number.set(wrong, None).cast(pl.Int64, strict=False)
    values = rounded if whole is None else whole.fill_null(rounded)
    if raw.dtype.is_integer():
        values = raw.cast(pl.Int64, strict=False)
    wrong |= said & (values.is_null() | (number != number.floor())).fill_null(value=True)
    return _Cells(values=values.alias(column.name), wrong=wrong)


def _within(number: pl.Series, column: Column) -> pl.Series:
    within = _all(number.len(), value=True)
    if column.least is not None:
        within &= number >= column.least
    if column.most is not None:
        within &= number <= column.most
    return within


def _all(length: int, *, value: bool) -> pl.Series:
    import polars as pl

    return pl.Series([value] * length, dtype=pl.Boolean)


def _number_type(column: Column) -> type[pl.DataType]:
    import polars as pl

    return pl.Int64 if column.kind == "count" else pl.Float64


def _missing(frame: pl.DataFrame, shape: Shape) -> Iterator[tuple[int, str]]:
    """Rows that lack what each must have, and why."""
    for name in shape.needed:
        empty = frame[name].is_null() | (frame[name].str.strip_chars() == "")
        for row in empty.arg_true().to_list():
            yield row, f"{name} is empty"
    if "messages" in frame.columns:
        yield from _unread(frame)
    if shape.asks:
        unasked = (frame["prompt"].fill_null("") == "") & frame["messages"].is_null()
        for row in unasked.arg_true().to_list():
            yield row, "prompt and messages are both empty"


def _unread(frame: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Rows whose messages cannot be read; equal ones are looked at once."""
    import polars as pl

    wrong: dict[str, str] = {}
    for text in frame["messages"].drop_nulls().unique(maintain_order=True).to_list():
        try:
            query_of("q", None, text)
        except BadInput as error:
            wrong[text] = str(error)
    if wrong:
        rows: Sequence[int] = frame["messages"].is_in(pl.Series(list(wrong))).arg_true().to_list()
        yield from ((row, wrong[frame["messages"][row]]) for row in rows)
