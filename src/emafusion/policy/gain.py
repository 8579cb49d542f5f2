"""Call, judge or stop: whatever gains most for its price; stop when nothing pays.

Route first, then at most `max_looks` answers. With lambda the quality that a dollar must buy,
another candidate k is called iff what it is expected to change of the best group of equal answers
exceeds lambda c_k (`policy.more`); after a first answer the third call is looked ahead to, since a
second one alone informs but cannot outvote (`policy.ahead`). The first candidate is the one whose
whole plan is worth most (`policy.looks`). A paid judge is asked iff knowing its verdict changes the
decision by more than its price (value of information). After Dekoninck et al., "A Unified Approach
to Routing and Cascading for LLMs" (ICML 2025), with groups of answers instead of single ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan

import numpy as np

from emafusion.domain.errors import Cancelled, DeadlinePassed
from emafusion.domain.evidence import (
    CallStep,
    Evidence,
    JudgeCard,
    JudgeStep,
    Plan,
    Situation,
    StopStep,
)
from emafusion.policy.ahead import bench, two_ahead
from emafusion.policy.dial import Dial
from emafusion.policy.looks import TIE, Start, best_start, cheapest_of_best
from emafusion.policy.more import groups_in, one_more
from emafusion.policy.options import Options, options
from emafusion.policy.spread import Spread
from emafusion.policy.vote import Vote

VOTE = Vote()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How well a paid judge reads: shares of right and of wrong answers it tells as such.

    Measured on RewardBench 2 for five judge models, grades of 7 and more taken as "right".
    """

    sensitivity: float = 0.6
    specificity: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GainPolicy:
    """One-step value of calling, judging and stopping.

    `max_looks`: answers at most, 1 makes it a router. `carry` in 0..1: how much of a surprise about
    one model's answer tells of the query, so of the others, where answers cannot be compared.
    """

    dial: Dial
    spread: Spread
    max_looks: int = 4
    carry: float = 0.4
    vote: Vote = VOTE
    reader: Reader = Reader()

    def plan(self, situation: Situation, /) -> Plan:
        """Say the next step and what is expected of it."""
        unread = _unread(situation)
        if unread is not None:
            free = tuple(card.name for card in situation.judges if not _is_paid(card))
            step = JudgeStep(judges=free, attempt=unread)
            return Plan(step=step, propensity=1.0, reason="free judges read every held answer")
        lam = self.dial.quality_per_usd(situation.objective)
        left = options(situation, lam)
        if situation.evidence.best is None:
            return self._first(situation, left)
        return self._next(situation, left)

    def _first(self, situation: Situation, left: Options) -> Plan:
        if not any(left.open) or _is_over(situation):
            return Plan(step=StopStep(attempt=None), propensity=1.0, reason="nobody left to call")
        start = best_start(left, self.spread, self.vote, looks=self.max_looks)
        return Plan(
            step=CallStep(candidate=left.names[start.first], live=start.second is None),
            propensity=1.0,
            reason=_why(left, start, after_failure=bool(situation.evidence.attempts)),
            likely=tuple(CallStep(candidate=left.names[k], live=True) for k, _ in start.looks[1:]),
            quality=start.quality,
            cost_usd=_expected_usd(situation, start.looks),
        )

    def _next(self, situation: Situation, left: Options) -> Plan:
        best = situation.evidence.best
        confidence = situation.evidence.confidences[best] if best is not None else None
        if best is None or confidence is None:
            return Plan(step=StopStep(attempt=None), propensity=1.0, reason="nothing answered")
        gains, quality = self._gains(situation, left, best)
        k = cheapest_of_best(gains, left) if any(left.open) else None
        gain = gains[k] if k is not None else -inf
        judge = _unasked(situation, best)
        if judge is not None and self._news(confidence, gain) - self._fee(judge, situation) > max(
            0.0, gain
        ):
            step = JudgeStep(judges=(judge.name,), attempt=best)
            return Plan(step=step, propensity=1.0, reason=f"{judge.name} may change the decision")
        if k is None or gain <= TIE:
            reason = f"confidence {confidence:.2f}: no further call gains more than it costs"
            return Plan(step=StopStep(attempt=best), propensity=1.0, reason=reason)
        return Plan(
            # The last look streams as it comes where it is expected to beat what is held.
            step=CallStep(candidate=left.names[k], live=quality[k] > confidence),
            propensity=1.0,
            reason=f"confidence {confidence:.2f}: {left.names[k]} gains {gain:.3f} after its cost",
            quality=min(confidence + gain + left.paid[k], 1.0),
            cost_usd=_expected_usd(situation, ((k, 1.0),)),
        )

    def _gains(
        self, situation: Situation, left: Options, best: int
    ) -> tuple[list[float], list[float]]:
        """Gain of each candidate over stopping, -inf where closed, and its revised quality."""
        evidence = situation.evidence
        confidence = evidence.confidences[best] or 0.0
        surprise = confidence - left.quality[left.at(evidence.attempts[best].candidate)]
        quality = [min(max(q + self.carry * surprise, 0.01), 0.99) for q in left.quality]
        looks = sum(attempt.reply is not None for attempt in evidence.attempts)
        cheapest = min((p for may, p in zip(left.open, left.paid, strict=True) if may), default=inf)
        if looks >= self.max_looks or _is_over(situation) or cheapest >= 1.0 - confidence:
            return [-inf] * len(quality), quality
        plain = [max(0.0, q - confidence) for q in quality]
        voted = self._voted(evidence, left, looks)
        both = zip(left.open, plain, voted, left.paid, strict=True)
        part = left.comparable
        return [p + part * (v - p) - paid if may else -inf for may, p, v, paid in both], quality

    def _voted(self, evidence: Evidence, left: Options, looks: int) -> list[float]:
        """Gain of each candidate where answers can be compared, before its price."""
        groups = groups_in(evidence)
        if looks > 1 or looks + 2 > self.max_looks:
            return one_more(groups, left.quality, self.vote)
        return _second_of_three(groups.odds[0], left, self.vote)

    def _news(self, confidence: float, gain: float) -> float:
        """Expected utility over stopping now, where a paid judge's verdict is known first."""
        good = confidence * self.reader.sensitivity
        positive = good + (1.0 - confidence) * (1.0 - self.reader.specificity)
        after_yes, after_no = good / positive, (confidence - good) / (1.0 - positive)
        # A gain falls by one for each unit of confidence, less what the surprise carries over.
        slope = 1.0 - self.carry
        value = positive * max(0.0, gain - slope * (after_yes - confidence))
        return value + (1.0 - positive) * max(0.0, gain - slope * (after_no - confidence))

    def _fee(self, judge: JudgeCard, situation: Situation) -> float:
        """What asking the judge costs, in units of quality; infinite where unknown."""
        if judge.cost_usd is None:
            return inf
        return self.dial.quality_per_usd(situation.objective) * judge.cost_usd


def _second_of_three(odds: float, left: Options, vote: Vote) -> list[float]:
    """Gain of each second answer when a third may follow, before its own price."""
    fee = np.array([p if may else inf for may, p in zip(left.open, left.paid, strict=True)])
    then = bench(np.array(left.quality), fee, vote)
    free = np.zeros((1, len(fee)))
    net = two_ahead(np.array([odds]), then, vote, shut=free, comparable=np.ones((1, 1))).net[0]
    pairs = zip(net.tolist(), left.paid, left.open, strict=True)
    return [value + paid if may else 0.0 for value, paid, may in pairs]


def _unread(situation: Situation) -> int | None:
    """The first held answer that the free judges have not read."""
    read = {judgement.attempt for judgement in situation.evidence.judgements}
    if all(_is_paid(card) for card in situation.judges):
        return None
    attempts = enumerate(situation.evidence.attempts)
    return next((i for i, a in attempts if a.reply is not None and i not in read), None)


def _unasked(situation: Situation, attempt: int) -> JudgeCard | None:
    asked = {j.judge for j in situation.evidence.judgements if j.attempt == attempt}
    paid = (card for card in situation.judges if _is_paid(card) and card.name not in asked)
    return next(paid, None)


def _is_paid(card: JudgeCard) -> bool:
    return card.kind == "llm"


def _is_over(situation: Situation) -> bool:
    """Whether nobody can be called any more: no time, no client, or half an answer already sent."""
    failed = [attempt for attempt in situation.evidence.attempts if attempt.failure is not None]
    ends = DeadlinePassed | Cancelled
    return any(attempt.sent_live or isinstance(attempt.failure, ends) for attempt in failed)


def _expected_usd(situation: Situation, looks: tuple[tuple[int, float], ...]) -> float | None:
    """Expected cost of these looks, each with its chance; None where a price is unknown."""
    cost_usd = sum(chance * float(situation.estimates.cost_usd[k]) for k, chance in looks)
    return None if isnan(cost_usd) else cost_usd


def _why(left: Options, start: Start, *, after_failure: bool) -> str:
    told = f"{left.names[start.first]} is expected right {left.quality[start.first]:.0%}"
    if after_failure:
        told = f"fallback after a failure: {told}"
    if start.second is None:
        return f"{told}; no second look would pay"
    second, chance = start.second
    return f"{told}; a second look at {left.names[second]} pays in {chance:.0%} of cases"
