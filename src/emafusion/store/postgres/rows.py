"""Records -> one JSON document that PostgreSQL turns into rows: one statement for any number."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from emafusion.store.record import Record
from emafusion.store.rows import DETAIL_COLUMNS, OUTCOME_COLUMNS, Value, to_row

COLUMNS: Final = (*OUTCOME_COLUMNS, *DETAIL_COLUMNS)
JSON_COLUMNS: Final = DETAIL_COLUMNS[DETAIL_COLUMNS.index("request") :]

Cell = Value | bool
_JSON: Final = frozenset(JSON_COLUMNS)

INSERT: Final[bytes] = (
    f"INSERT INTO emafusion.outcomes ({', '.join(COLUMNS)}) "  # noqa: S608 - our own names
    f"SELECT {', '.join(COLUMNS)} "
    "FROM json_populate_recordset(NULL::emafusion.outcomes, %s::json) "
    "ON CONFLICT DO NOTHING"
).encode()
"""Takes a row once, also if it is sent again because nobody knows whether it arrived."""

_ENCODE: Final = msgspec.json.Encoder().encode
_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def to_document(record: Record) -> bytes:
    """One row as a JSON object by the names of its columns.

    PostgreSQL keeps no NUL character in a text: each becomes U+FFFD, the replacement character.
    """
    row = to_row(record)
    values = zip(COLUMNS, (*row.outcome, *row.detail), strict=True)
    return without_nul(_ENCODE({name: _cell(name, value) for name, value in values}))


def _cell(name: str, value: Cell) -> Cell | msgspec.Raw:
    """A value as it stands in the document; what is JSON already is put in as it is."""
    return msgspec.Raw(value.encode()) if isinstance(value, str) and name in _JSON else value


def plain(text: str) -> str:
    """A text as PostgreSQL can keep it: NUL is no character there, it becomes U+FFFD."""
    return text.replace("\0", "\ufffd")


def without_nul(document: bytes) -> bytes:
    r"""A JSON text whose strings have no NUL character.

    >>> without_nul(b'["a\\u0000\\u0000b", "\\\\u0000"]').decode()
    '["a\ufffd\ufffdb", "\\\\u0000"]'
    """
    if b"\\u0000" not in document:
        return document
    return _NUL.sub(b"\\1\xef\xbf\xbd", document)


def joined(documents: list[bytes]) -> str:
    """Several rows as one JSON array."""
    return f"[{b','.join(documents).decode()}]"
