"""One opinion of one answer, and what several of them come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol

from msgspec import Struct, convert
from msgspec.structs import replace

Source = Literal["client", "label", "audit"]


class Feedback(Struct, frozen=True, kw_only=True):
    """An opinion of the answer that a decision gave.

    `score`: 0..1, 1 = right. `source`: `client` came by the API; `label` was asked for, `audit` was
    drawn at random; `propensity`: 0..1, the chance with which it was drawn, None where nobody drew.
    `corrected`: what would have been right; `key_id`: which gateway key said so.
    """

    decision_id: str
    created_at: float
    source: Source
    score: float
    propensity: float | None = None
    key_id: str | None = None
    corrected: str | None = None
    comment: str | None = None


COLUMNS: Final = Feedback.__struct_fields__
"""Names of its columns in every store, in order."""


def audits_sql(schema: str, mark: str) -> str:
    """The question for `FeedbackStore.audits`; `schema`: before names of tables, `mark`: a value.

    Answers of models that a client named are none that the setting chose, and who looked at an
    answer twice has changed their mind: the last audit of it counts.
    """
    columns = ", ".join(f"f.{name}" for name in COLUMNS)
    return f"""
        SELECT {columns} FROM {schema}feedback f JOIN {schema}outcomes o USING (decision_id)
        WHERE f.source = 'audit' AND o.created_at > {mark} AND o.route <> 'direct'
            AND abs(o.quality_weight - {mark}) < 1e-9 AND NOT EXISTS (
                SELECT 1 FROM {schema}feedback g
                WHERE g.decision_id = f.decision_id AND g.source = 'audit' AND g.id > f.id)
        ORDER BY f.id"""  # noqa: S608 - own names


def feedback_of(values: Sequence[object]) -> Feedback:
    """Feedback from a row of `COLUMNS`."""
    return convert(dict(zip(COLUMNS, values, strict=True)), Feedback)


def without_words(feedback: Feedback) -> Feedback:
    """The same without what somebody wrote."""
    return replace(feedback, corrected=None, comment=None)


class FeedbackStore(Protocol):
    """Keeps feedback. Every method may raise `StoreError`."""

    async def owner(self, decision_id: str, /) -> tuple[bool, str | None]:
        """Whether the log has this decision, and which key asked."""
        ...

    async def add(self, feedback: Feedback, /) -> None:
        """Return once it is safe against the death of this process."""
        ...

    async def audits(self, since: float, quality_weight: float, /) -> list[Feedback]:
        """Audits of answers that were given after a time (Unix seconds) at one setting of the dial.

        In the order they came, of each answer the last one.
        """
        ...

    async def close(self) -> None:
        """Let go of it. May be called twice."""
        ...


def scores_of(feedback: Iterable[Feedback]) -> dict[str, float]:
    """What people's opinions come to, by decision; nothing where nobody said anything."""
    by_decision: dict[str, list[Feedback]] = {}
    for each in feedback:
        by_decision.setdefault(each.decision_id, []).append(each)
    return {key: score for key, said in by_decision.items() if (score := settled(said)) is not None}


def settled(opinions: Iterable[Feedback]) -> float | None:
    """The score that several opinions of one answer come to; None of none.

    Who was asked to look is believed before who happened to say something: the newest label or
    audit, else the mean of what clients said.

    >>> said = Feedback(decision_id="a", created_at=1.0, source="client", score=0.0)
    >>> looked = Feedback(decision_id="a", created_at=0.0, source="label", score=1.0)
    >>> settled([said, looked]), settled([said]), settled([])
    (1.0, 0.0, None)
    """
    known = list(opinions)
    asked = [each for each in known if each.source != "client"]
    if asked:
        return max(asked, key=lambda each: each.created_at).score
    return sum(each.score for each in known) / len(known) if known else None
