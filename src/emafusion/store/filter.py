"""Which logged requests are asked for: as a value, and as SQL with nothing of the user's in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from emafusion.store.rows import Value

_IN_ANSWERS = (
    "EXISTS (SELECT 1 FROM json_each(d.attempts) a "
    "WHERE a.value ->> '$.response' LIKE ? ESCAPE '\\')"
)
_IN_MESSAGES = (
    "EXISTS (SELECT 1 FROM json_tree(d.messages) m "
    "WHERE m.type = 'text' AND m.key NOT IN ('role', 'type') AND m.value LIKE ? ESCAPE '\\')"
)
# The JSON is first looked through as text: parsing it is slow, and few rows come that far.
_ANY_TEXT = (
    "(d.prompt LIKE ? ESCAPE '\\' OR d.answer LIKE ? ESCAPE '\\' "
    f"OR (d.attempts LIKE ? ESCAPE '\\' AND {_IN_ANSWERS}) "
    f"OR (d.messages LIKE ? ESCAPE '\\' AND {_IN_MESSAGES}))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions that must all hold; None and False ask for nothing.

    `since`, `until`: Unix seconds, from the one up to but not including the other. `status`: of
    the HTTP answer. Confidences 0..1; a row without one meets no bound. `failed`: the client got
    no answer. `escalated`: another candidate was asked although one had answered. `text`: occurs
    in the conversation or an answer, in any case of ASCII letters. `lacks`: it is an answer to a
    query that nobody has looked at yet (`label`), or nobody for an audit (`audit`). `routed`: the
    client named no model. `quality_weight`: where the dial stood.
    """

    since: float | None = None
    until: float | None = None
    candidate: str | None = None
    route: str | None = None
    status: int | None = None
    session: str | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    failed: bool = False
    escalated: bool = False
    text: str | None = None
    lacks: Literal["label", "audit"] | None = None
    routed: bool = False
    quality_weight: float | None = None

    def looks(self, feedback: str) -> list[str]:
        """Conditions on what people looked at, in SQL; `feedback`: name of that table.

        >>> Filter(routed=True).looks("feedback")
        ["o.route <> 'direct'"]
        """
        clauses = ["o.route <> 'direct'"] * self.routed
        if self.lacks is None:
            return clauses
        kind = "f.source <> 'client'" if self.lacks == "label" else "f.source = 'audit'"
        seen = f"SELECT 1 FROM {feedback} f WHERE f.decision_id = o.decision_id AND {kind}"  # noqa: S608 - our words
        return [*clauses, "o.status = 200 AND o.route <> 'embedding'", f"NOT EXISTS ({seen})"]


@dataclass(frozen=True, slots=True)
class Where:
    """A condition in SQL over `tables`, with the values of its question marks."""

    sql: str
    values: tuple[Value, ...]
    tables: str


def where(chosen: Filter) -> Where:
    """Filter -> SQL; the wide table is read only where its texts are asked for.

    >>> where(Filter(candidate="small", failed=True))
    Where(sql='o.candidate = ? AND o.status >= 400', values=('small',), tables='outcomes o')
    """
    bounds: tuple[tuple[str, Value], ...] = (
        ("o.created_at >= ?", chosen.since),
        ("o.created_at < ?", chosen.until),
        ("o.candidate = ?", chosen.candidate),
        ("o.route = ?", chosen.route),
        ("o.status = ?", chosen.status),
        ("o.session = ?", chosen.session),
        ("o.confidence >= ?", chosen.min_confidence),
        ("o.confidence <= ?", chosen.max_confidence),
        ("abs(o.quality_weight - ?) < 1e-9", chosen.quality_weight),
    )
    asked = [(sql, value) for sql, value in bounds if value is not None]
    clauses = [sql for sql, _ in asked]
    clauses += ["o.status >= 400"] * chosen.failed + ["o.escalated"] * chosen.escalated
    clauses += chosen.looks("feedback")
    values = tuple(value for _, value in asked)
    if chosen.text is None:
        return Where(" AND ".join(clauses) or "1", values, "outcomes o")
    sql = " AND ".join([*clauses, _ANY_TEXT])
    return Where(sql, values + _needles(chosen.text), "outcomes o JOIN details d USING (id)")


def _needles(text: str) -> tuple[str, ...]:
    """Values for `_ANY_TEXT`: the text as it is, and as it looks within JSON."""
    plain = like(text)
    escaped = like(msgspec.json.encode(text).decode()[1:-1])
    return (plain, plain, escaped, plain, escaped, plain)


def like(text: str) -> str:
    r"""Pattern for LIKE that finds exactly this text anywhere.

    >>> like("100%")
    '%100\\%%'
    """
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
