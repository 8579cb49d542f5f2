"""Hearing judges on one recorded answer: all of them, or one after another while it pays."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from msgspec import Struct

from emafusion.build.replaying import Stage
from emafusion.domain.attempt import Attempt
from emafusion.domain.errors import BadInput
from emafusion.domain.evidence import Case, Evidence, JudgeCard, Judgement
from emafusion.domain.ports import Judge
from emafusion.judge.panel import LogOddsPanel
from emafusion.policy.reading import Reader, one_a_family
from emafusion.replay.driver import run
from emafusion.replay.recorded import RecordedAnswers, reply_of

Said = dict[str, Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What hangs on a judgement: an answer is taken if it is right with `threshold` or more.

    `value_usd`: what a right one is worth; `threshold`: None where any is as likely. Judges are
    asked one after another, one of a family, as long as any may change on which side of the
    threshold the answer is by more than its price.
    """

    value_usd: float
    threshold: float | None = None

    def gain_usd(self, reader: Reader, confidence: float, *, cards: Cards, asked: Names) -> float:
        """US dollars that hearing these judges is worth, after their price.

        Raises `BadInput` where the price of one is unknown.
        """
        prices = [card.cost_usd for card in cards]
        known = [price for price in prices if price is not None]
        if len(known) < len(prices):
            raise BadInput("has grades without cost_usd", where="judge table")
        value = -self._worth(confidence)
        names = frozenset([card.name for card in cards])
        for chance, factor in reader.verdicts(confidence, names, asked):
            raised = confidence * factor
            value += chance * self._worth(raised / (raised + 1.0 - confidence))
        return self.value_usd * value - sum(known)

    def _worth(self, chance: float) -> float:
        """Mean of what is given: this answer, or another as good as the threshold says."""
        level = self.threshold
        return (1.0 + chance * chance) / 2.0 if level is None else max(chance, level)


Cards = tuple[JudgeCard, ...]
Names = frozenset[str]


class Heard(Struct, frozen=True, kw_only=True):
    """What came of one answer.

    `asked`: model judges that were heard; `cost_usd`: of those, `whole_usd`: of all that there are,
    NaN where unknown.
    """

    confidence: float
    asked: tuple[str, ...]
    cost_usd: float
    whole_usd: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """Where judges are heard on one answer after another.

    `free`: judges that read its text; `graded`: those whose grades were recorded; `stake`: None to
    hear every one.
    """

    stage: Stage
    panel: LogOddsPanel
    reader: Reader
    free: tuple[Judge, ...]
    graded: tuple[Judge, ...]
    stake: Stake | None = None

    def hear(self, place: tuple[int, int], quality: float) -> Heard:
        """Judge one answer: its place in the records, and what was predicted of it."""
        case = self._case(place)
        for judge in self.free if self._is_read(place) else ():
            case = _with(case, self._said(judge, case))
        graded = {judge.card.name: self._said(judge, case) for judge in self.graded}
        said = {name: each for name, each in graded.items() if each.value is not None}
        cards = tuple(judge.card for judge in self.graded if judge.card.name in said)
        asked: list[str] = []
        while True:
            confidence = self.panel.confidences((quality,), case)[0] or 0.0
            name = self._next(confidence, cards, asked)
            if name is None:
                break
            asked.append(name)
            case = _with(case, said[name])
        return Heard(
            confidence=confidence,
            asked=tuple(asked),
            cost_usd=_total(said, asked),
            whole_usd=_total(said, list(said)),
        )

    def _next(self, confidence: float, cards: Cards, asked: list[str]) -> str | None:
        """The judge to hear next, None where none is worth its price."""
        stake, done = self.stake, frozenset(asked)
        if stake is None:
            return next((card.name for card in cards if card.name not in done), None)
        families = {card.kindred for card in cards if card.name in done}
        left = tuple(card for card in cards if card.kindred not in families)
        gains = [
            stake.gain_usd(self.reader, confidence, cards=(card,), asked=done) for card in left
        ]
        if gains and max(gains) > 0.0:
            return left[gains.index(max(gains))].name
        rest = one_a_family(left)
        if len(rest) > 1 and stake.gain_usd(self.reader, confidence, cards=rest, asked=done) > 0.0:
            return rest[0].name
        return None

    def _case(self, place: tuple[int, int]) -> Case:
        records = self.stage.records
        attempt = Attempt(candidate=records.models[place[1]], reply=reply_of(records, *place))
        return Case(
            query=records.queries[place[0]],
            evidence=Evidence(attempts=(attempt,), groups=(0,)),
            attempt=0,
            candidates=self.stage.candidates,
        )

    def _is_read(self, place: tuple[int, int]) -> bool:
        """Whether the text of an answer was recorded."""
        return self.stage.records.responses[int(self.stage.records.row[place])] is not None

    def _said(self, judge: Judge, case: Case) -> Judgement:
        return run(judge.judge(case), RecordedAnswers(self.stage.records))


def _with(case: Case, said: Judgement) -> Case:
    """The case with one judgement more."""
    evidence = Evidence(
        attempts=case.evidence.attempts,
        judgements=(*case.evidence.judgements, said),
        groups=case.evidence.groups,
    )
    return Case(
        query=case.query, evidence=evidence, attempt=case.attempt, candidates=case.candidates
    )


def _total(said: Said, names: list[str]) -> float:
    """Cost of these judgements, NaN where one is unknown."""
    costs = [said[name].cost_usd for name in names]
    return float(sum(nan if cost is None else cost for cost in costs))
