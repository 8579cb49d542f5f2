"""Records <-> rows of the two tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec

from emafusion.store.record import Detail, OutcomeRow, Record

Value = str | int | float | None
OUTCOME_COLUMNS: Final = OutcomeRow.__struct_fields__
DETAIL_COLUMNS: Final = Detail.__struct_fields__
_JSON_COLUMNS: Final = DETAIL_COLUMNS[DETAIL_COLUMNS.index("request") :]


def _insert(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - own names


_INSERT_OUTCOME: Final = _insert("outcomes", OUTCOME_COLUMNS)
_INSERT_DETAIL: Final = _insert("details", ("id", *DETAIL_COLUMNS))
_ENCODE: Final = msgspec.json.Encoder().encode


class Row(msgspec.Struct, frozen=True, gc=False):
    """One record ready to be written: values of both tables, in the order of their columns."""

    outcome: tuple[Value | bool, ...]
    detail: tuple[Value, ...]


def to_row(record: Record) -> Row:
    """Record -> values of both tables."""
    detail = record.detail
    return Row(
        msgspec.structs.astuple(record.row),
        (
            detail.query_hash,
            detail.features_hash,
            detail.prompt,
            detail.messages,
            detail.answer,
            detail.answer_hash,
            detail.answer_attempt,
            detail.failure_message,
            _ENCODE(detail.request).decode(),
            _ENCODE(detail.tags).decode(),
            None if detail.labels is None else _ENCODE(detail.labels).decode(),
            _ENCODE(detail.objective).decode(),
            _ENCODE(detail.pool).decode(),
            _ENCODE(detail.plans).decode(),
            _ENCODE(detail.attempts).decode(),
            _ENCODE(detail.judgements).decode(),
        ),
    )


def insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Write rows in one transaction: all of them or, with an error, none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for row in rows:
            cursor = connection.execute(_INSERT_OUTCOME, row.outcome)
            connection.execute(_INSERT_DETAIL, (cursor.lastrowid, *row.detail))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def outcome_row(values: tuple[Value, ...]) -> OutcomeRow:
    """Values of `outcomes`, in the order of `OUTCOME_COLUMNS` -> the row."""
    return msgspec.convert(values, OutcomeRow, strict=False)


def record(values: tuple[Value, ...]) -> Record:
    """Values of both tables, `OUTCOME_COLUMNS` then `DETAIL_COLUMNS` -> the record."""
    width = len(OUTCOME_COLUMNS)
    cells = dict(zip(DETAIL_COLUMNS, values[width:], strict=True))
    held = {
        name: msgspec.Raw(value.encode())
        if name in _JSON_COLUMNS and isinstance(value, str)
        else value
        for name, value in cells.items()
    }
    return Record(row=outcome_row(values[:width]), detail=_decode_detail(held))


def _decode_detail(cells: dict[str, Value | msgspec.Raw]) -> Detail:
    """Decode the JSON columns in place, in one pass over one document."""
    return msgspec.json.decode(_ENCODE(cells), type=Detail)
