"""Filter -> SQL of PostgreSQL, with nothing of the user's in it."""

from __future__ import annotations

from typing import Final

import msgspec

from emafusion.store.filter import Filter, Where, like
from emafusion.store.rows import Value

_IN_ANSWERS: Final = (
    "EXISTS (SELECT 1 FROM json_array_elements(o.attempts) a WHERE a ->> 'response' ILIKE %s)"
)
_TEXTS: Final = (
    '$.** ? (@.type() == "object").keyvalue() '
    '? (@.key != "role" && @.key != "type").value ? (@.type() == "string")'
)
_IN_MESSAGES: Final = (
    f"EXISTS (SELECT 1 FROM jsonb_path_query(o.messages::jsonb, '{_TEXTS}') m "  # noqa: S608 - our own words
    "WHERE m #>> '{}' ILIKE %s)"
)
# The JSON is first looked through as text: parsing it is slow, and few rows come that far.
_ANY_TEXT: Final = (
    "(o.prompt ILIKE %s OR o.answer ILIKE %s "
    f"OR (o.attempts::text ILIKE %s AND {_IN_ANSWERS}) "
    f"OR (o.messages ILIKE %s AND {_IN_MESSAGES}))"
)


def where(chosen: Filter) -> Where:
    """The condition over `emafusion.outcomes o`, with the values of its `%s`.

    >>> where(Filter(candidate="small", failed=True)).sql
    'o.candidate = %s AND o.status >= 400'
    """
    bounds: tuple[tuple[str, Value], ...] = (
        ("o.created_at >= %s", chosen.since),
        ("o.created_at < %s", chosen.until),
        ("o.candidate = %s", chosen.candidate),
        ("o.route = %s", chosen.route),
        ("o.status = %s", chosen.status),
        ("o.session = %s", chosen.session),
        ("o.confidence >= %s", chosen.min_confidence),
        ("o.confidence <= %s", chosen.max_confidence),
        ("abs(o.quality_weight - %s) < 1e-9", chosen.quality_weight),
    )
    asked = [(sql, value) for sql, value in bounds if value is not None]
    clauses = [sql for sql, _ in asked]
    clauses += ["o.status >= 400"] * chosen.failed + ["o.escalated"] * chosen.escalated
    clauses += chosen.looks("emafusion.feedback")
    values: tuple[Value, ...] = tuple(value for _, value in asked)
    if chosen.text is not None:
        clauses.append(_ANY_TEXT)
        values += _needles(chosen.text)
    return Where(" AND ".join(clauses) or "true", values, "emafusion.outcomes o")


def _needles(text: str) -> tuple[str, ...]:
    """Values for `_ANY_TEXT`: the text as it is, and as it looks within JSON."""
    plain = like(text)
    escaped = like(msgspec.json.encode(text).decode()[1:-1])
    return (plain, plain, escaped, plain, escaped, plain)
