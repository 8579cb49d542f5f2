"""Judges over recorded answers: each answer is read once, whatever is asked of it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from emafusion.domain.command import Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement
from emafusion.domain.ports import Judge, Panel

UNREAD = "no response was recorded"
REFUSAL = "refusal"
"""Begins the verdict on words of refusal. Where the table found an answer it was none: "no call
fits" is what a tool may have been asked for."""


class RecordedJudge:
    """A served judge whose judgements are kept; implements `Judge`.

    `silent`: query_id and model of answers whose text is unknown, on which it abstains; `answered`:
    of those that are no refusals, whatever they sound like. Kept by the query, whose answer is
    read, and which others are there.
    """

    def __init__(
        self,
        judge: Judge,
        silent: frozenset[tuple[str, str]] = frozenset(),
        answered: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self._judge = judge
        self._silent = silent
        self._answered = answered
        self._alone = judge.card.kind != "agreement"
        self._kept: dict[tuple[str, ...], Judgement] = {}
        self._card = judge.card

    @property
    def card(self) -> JudgeCard:
        """The judge's own."""
        return self._card

    def judge(self, case: Case, /) -> Flow[Judgement]:
        """What was found, or what the judge says now."""
        name = case.subject.candidate
        key: tuple[str, ...] = (case.query.query_id, name)
        if (case.query.query_id, name) in self._silent:
            yield from ()
            return Judgement(
                judge=self._card.name, attempt=case.attempt, value=None, verdict=UNREAD
            )
        if not self._alone:
            key += tuple(sorted(attempt.candidate for attempt in case.evidence.attempts))
        found = self._kept.get(key)
        if found is None:
            found = yield from self._judge.judge(case)
            if found.verdict.startswith(REFUSAL) and key[:2] in self._answered:
                found = replace(found, value=None)
            self._kept[key] = found
        return found if found.attempt == case.attempt else replace(found, attempt=case.attempt)

    def forget(self) -> None:
        """Drop what was kept, once a query is done with."""
        self._kept.clear()


class RecordedPanel:
    """A served panel whose confidences are kept; implements `Panel`.

    Kept by the query, who answered it, and who judged which answer: in a replay all else follows.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._kept: dict[tuple[object, ...], tuple[float | None, ...]] = {}

    def confidences(self, qualities: Sequence[float], case: Case, /) -> tuple[float | None, ...]:
        """What was found, or what the panel says now."""
        evidence = case.evidence
        key = (
            case.query.query_id,
            len(evidence.judgements),
            *[attempt.candidate for attempt in evidence.attempts],
            *[judgement.judge for judgement in evidence.judgements],
            *[judgement.attempt for judgement in evidence.judgements],
        )
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._panel.confidences(qualities, case)
        return found

    def forget(self) -> None:
        """Drop what was kept, once a query is done with."""
        self._kept.clear()


class GradedJudge:
    """Grades of one judge from a judge table; implements `Judge`. Abstains where there is none.

    `grades`: (query_id, model) -> value in 0..1 and cost_usd, None where unknown; `kin`: models of
    its own family, whose answers it does not judge, as served.
    """

    def __init__(
        self,
        name: str,
        grades: Mapping[tuple[str, str], tuple[float, float | None]],
        *,
        kin: frozenset[str] = frozenset(),
    ) -> None:
        self._grades = grades
        costs = [cost for _, cost in grades.values()]
        known = [cost for cost in costs if cost is not None]
        expected = sum(known) / len(known) if known and len(known) == len(costs) else None
        kind = name.partition(":")[0]
        self._card = JudgeCard(name=name, kind=kind, cost_usd=expected, kin=kin)

    @property
    def card(self) -> JudgeCard:
        """Its name, and the mean cost of its grades."""
        return self._card

    def judge(self, case: Case, /) -> Flow[Judgement]:
        """The recorded grade."""
        yield from ()
        name = case.subject.candidate
        is_own = name in self._card.kin
        found = None if is_own else self._grades.get((case.query.query_id, name))
        value, cost_usd = (None, 0.0) if found is None else found
        return Judgement(
            judge=self._card.name,
            attempt=case.attempt,
            value=value,
            verdict="not graded" if found is None else "recorded",
            cost_usd=cost_usd,
        )
