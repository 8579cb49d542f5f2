"""Call, judge or stop: whatever gains most for its price; stop when nothing pays.

Route first, then at most `max_looks` answers. With lambda the quality that a dollar must buy,
another candidate k is called iff what it is expected to change of the best group of equal answers
exceeds lambda c_k (`policy.more`); after a first answer the third call is looked ahead to, since a
second one alone informs but cannot outvote (`policy.ahead`). The first candidate is the one whose
whole plan is worth most (`policy.start`). A paid judge is asked iff knowing its verdict is worth
more than its price. After Dekoninck et al., "A Unified Approach to Routing and Cascading for LLMs"
(ICML 2025), with groups of answers instead of single ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, isnan

from msgspec import Struct

from emafusion.domain.errors import Cancelled, DeadlinePassed
from emafusion.domain.evidence import CallStep, JudgeCard, JudgeStep, Plan, Situation, StopStep
from emafusion.policy.dial import Dial
from emafusion.policy.first import Rules, first_plans, starts_of
from emafusion.policy.holding import expected, held
from emafusion.policy.more import Groups, groups_in, one_more, would_be_given
from emafusion.policy.options import Options, options
from emafusion.policy.plain import nets, seats
from emafusion.policy.reading import (
    Reader,
    asked_of,
    free_judges,
    is_paid,
    one_a_family,
    unasked,
    unread,
)
from emafusion.policy.spread import Spread
from emafusion.policy.start import BEST, HASTE, TIE
from emafusion.policy.vote import Vote

VOTE = Vote()
READER = Reader()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GainPolicy:
    """The value of calling, judging and stopping.

    `max_looks`: answers at most, 1 makes it a router. `carry` in 0..1: how much of a surprise about
    one model's answer tells of the query, so of the others, where answers cannot be compared.
    """

    dial: Dial
    spread: Spread
    max_looks: int = 4
    carry: float = 0.4
    vote: Vote = VOTE
    reader: Reader = READER
    _rules: Rules = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Put together once what every first plan is made by."""
        rules = Rules(dial=self.dial, spread=self.spread, vote=self.vote, looks=self.max_looks)
        object.__setattr__(self, "_rules", rules)

    def plan(self, situation: Situation, /) -> Plan:
        """Say the next step and what is expected of it."""
        to_read = unread(situation)
        if to_read is not None:
            step = JudgeStep(judges=free_judges(situation), attempt=to_read)
            return Plan(step=step, propensity=1.0, reason="free judges read every held answer")
        if situation.evidence.best is None:
            return self._first(situation)
        return self._next(situation)

    def first_plans(self, situations: Sequence[Situation], /) -> list[Plan]:
        """The first plan of each of many queries, as `plan` would make it; quicker by far."""
        return first_plans(situations, self._rules, one=self._first)

    def _first(self, situation: Situation) -> Plan:
        left = options(situation, self.dial.quality_per_usd(situation.objective))
        if not any(left.open) or _is_over(situation):
            return Plan(step=StopStep(attempt=None), propensity=1.0, reason="nobody left to call")
        starts = starts_of(situation, left, self._rules)
        return self._held(starts.plan(0, situation), situation, left)

    def _held(self, plan: Plan, situation: Situation, left: Options) -> Plan:
        """The plan; its answer is not let through to the client where a judge would be asked."""
        is_judged = any(is_paid(card) for card in situation.judges)
        if not situation.streamed or not is_judged or sum(left.open) < 2:
            return plan
        then = expected(situation, plan, comparable=left.comparable)
        if then is None or not unasked(then, 0):
            return plan
        lam = self.dial.quality_per_usd(situation.objective)
        groups, left = groups_in(then.evidence), options(then, lam)
        gain = self._best_call(then, left, groups, looks=1)[1] if self.max_looks > 1 else 0.0
        hand = Held(attempt=0, groups=groups, looks=1, gain=gain, lam=lam)
        judge = self._judge(then, left, hand)
        return plan if judge is None else held(plan, judge)

    def _next(self, situation: Situation) -> Plan:
        evidence = situation.evidence
        best, looks = evidence.best, sum(a.reply is not None for a in evidence.attempts)
        seen = next((i for i, a in enumerate(evidence.attempts) if a.sent_live and a.reply), None)
        if seen is not None:
            reason = "the client has seen it"
            return Plan(step=StopStep(attempt=seen), propensity=1.0, reason=reason)
        lam = self.dial.quality_per_usd(situation.objective)
        groups, left = groups_in(evidence), options(situation, lam)
        is_over = looks >= self.max_looks or _is_over(situation)
        least = min((p for may, p in zip(left.open, left.paid, strict=True) if may), default=inf)
        k, gain = None, 0.0
        if not is_over and least + HASTE < 1.0 - groups.best:
            k, gain = self._best_call(situation, left, groups, looks=looks)
        judge, left_judges = None, () if best is None else unasked(situation, best)
        if best is not None and left_judges:
            hand = Held(attempt=best, groups=groups, looks=looks, gain=gain, lam=lam)
            judge = self._judge(situation, left, hand)
        if judge is not None and best is not None:
            return _ask(judge, best)
        if k is None:
            other = "call or judge" if left_judges else "call"
            reason = f"confidence {groups.best:.2f}: no further {other} gains more than it costs"
            return Plan(step=StopStep(attempt=best), propensity=1.0, reason=reason)
        return self._call(
            situation, left, groups, k=k, gain=gain, is_last=looks + 1 == self.max_looks
        )

    def _call(
        self,
        situation: Situation,
        left: Options,
        groups: Groups,
        *,
        k: int,
        gain: float,
        is_last: bool,
    ) -> Plan:
        # The last look streams as it comes where whatever it says would be given.
        is_sure = is_last and would_be_given(groups, left.quality[k], self.vote)
        usd = float(situation.estimates.cost_usd[k])
        return Plan(
            step=CallStep(candidate=left.names[k], live=is_sure),
            propensity=1.0,
            reason=f"confidence {groups.best:.2f}: {left.names[k]} gains {gain:.3f} after its cost",
            quality=min(groups.best + gain + left.paid[k], 1.0),
            cost_usd=None if isnan(usd) else usd,
        )

    def _best_call(
        self, situation: Situation, left: Options, groups: Groups, *, looks: int
    ) -> tuple[int | None, float]:
        """The call that gains most after its price, and that gain; None where none gains."""
        few = sorted(
            [k for k, may in enumerate(left.open) if may],
            key=lambda k: left.paid[k] - left.quality[k],
        )
        if not few:
            return None, 0.0
        quality = [left.quality[k] for k in few]
        if not groups.chances:
            quality = self._revised(situation, left, best=groups.best, quality=quality)
        ahead = bool(groups.chances) and looks == 1 and self.max_looks > 2
        if ahead:
            few, quality = few[:BEST], quality[:BEST]
            then = seats(quality, [left.paid[k] for k in few], self.vote)
            net = nets(groups.best, then, looks=self.max_looks, comparable=1.0)
        else:
            gains = one_more(groups, quality, self.vote)
            net = [gain - left.paid[k] for gain, k in zip(gains, few, strict=True)]
        most = max(net)
        if most <= HASTE:
            return None, 0.0
        near = [i for i, value in enumerate(net) if value >= most - TIE and value > HASTE]
        if any(left.paid):
            i = min(near, key=lambda i: left.cost_usd[few[i]])
        else:
            i = max(near, key=lambda i: (quality[i], net[i]))
        return few[i], net[i]

    def _revised(
        self, situation: Situation, left: Options, *, best: float, quality: list[float]
    ) -> list[float]:
        """Qualities after a surprise about the best answer, which no other can be compared with."""
        place = situation.evidence.best
        if place is None:
            return quality
        before = left.quality[left.at(situation.evidence.attempts[place].candidate)]
        surprise = self.carry * (best - before)
        return [min(max(q + surprise, 0.01), 0.99) for q in quality]

    def _judge(self, situation: Situation, left: Options, held: Held) -> JudgeCard | None:
        """The paid judge to ask next, None where none is worth its price.

        One alone may change nothing where all that are left together may: then the cheapest of
        them begins.
        """
        cards = unasked(situation, held.attempt)
        worth = [self._news(situation, left, held, cards=(card,)) for card in cards]
        most = max(range(len(cards)), key=worth.__getitem__)
        if worth[most] > HASTE:
            return cards[most]
        rest = one_a_family(cards)
        if len(rest) > 1 and self._news(situation, left, held, cards=rest) > HASTE:
            return rest[0]
        return None

    def _news(
        self, situation: Situation, left: Options, held: Held, *, cards: tuple[JudgeCard, ...]
    ) -> float:
        """What the verdicts of judges on the best answer are worth, after their price."""
        value = -(held.groups.best + held.gain)
        value -= held.lam * sum([card.cost_usd or 0.0 for card in cards])
        may_call = held.looks < self.max_looks and not _is_over(situation)
        asked = asked_of(situation, held.attempt)
        names = frozenset([card.name for card in cards])
        for chance, factor in self.reader.verdicts(held.groups.best, names, asked):
            after = held.groups.told(factor)
            gain = self._best_call(situation, left, after, looks=held.looks)[1] if may_call else 0.0
            value += chance * (after.best + gain)
        return value


class Held(Struct, frozen=True, kw_only=True, eq=False):
    """What is held when a judge may be asked.

    `attempt`: the best answer; `gain`: of the best call, after its price; `lam`: quality that a
    dollar must buy.
    """

    attempt: int
    groups: Groups
    looks: int
    gain: float
    lam: float


def _ask(judge: JudgeCard, attempt: int) -> Plan:
    step = JudgeStep(judges=(judge.name,), attempt=attempt)
    reason = f"{judge.name} may change the decision by more than its price"
    return Plan(step=step, propensity=1.0, reason=reason)


def _is_over(situation: Situation) -> bool:
    """Whether nobody can be called any more: no time, no client, or half an answer already sent."""
    ends = DeadlinePassed | Cancelled
    for attempt in situation.evidence.attempts:
        failure = attempt.failure
        if failure is not None and (attempt.sent_live or isinstance(failure, ends)):
            return True
    return False
