"""The agreement cascade: two cheap candidates first; where they agree, that is the answer.

It needs no label and no calibrated confidence, so it is what decides before any panel was fitted.
With q what is predicted of the cheap a, b and the strong s, and s, c the chances that right and
wrong answers meet (`policy.vote`), the two agree with probability `P = q_a q_b s + (1 - q_a)
(1 - q_b) c`, and the pair is asked iff

    q_a q_b s + (1 - P) q_s - lambda (c_a + c_b + (1 - P) c_s)  >  q_s - lambda c_s.

After "agreement-based cascading" (ABC) and ModelSwitch; agreement is never a certificate.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from emafusion.domain.evidence import CallStep, Evidence, JudgeStep, Plan, Situation
from emafusion.policy.dial import Dial
from emafusion.policy.ended import is_over, stop
from emafusion.policy.options import Options, options
from emafusion.policy.reading import free_judges, unread
from emafusion.policy.vote import Vote

VOTE = Vote()

ENOUGH = 0.5
"""Chance that answers can be compared at all, below which nobody is asked for agreement."""

FEW = 12
"""Cheap candidates that are weighed in pairs: the most useful ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgreementPolicy:
    """Two cheap ones, then the strong one if they disagree; implements `Policy`."""

    dial: Dial
    vote: Vote = VOTE

    def plan(self, situation: Situation, /) -> Plan:
        """Call the next, let the free judges read, or stop."""
        to_read = unread(situation)
        if to_read is not None:
            step = JudgeStep(judges=free_judges(situation), attempt=to_read)
            return Plan(step=step, propensity=1.0, reason="free judges read every held answer")
        evidence = situation.evidence
        answered = [i for i, a in enumerate(evidence.attempts) if a.reply is not None]
        agreed = _agreed(evidence)
        if agreed is not None:
            return stop(agreed, "two agree")
        left = options(situation, self.dial.quality_per_usd(situation.objective))
        order = self._order(situation, left)
        following = None if is_over(situation) else _next(order, left, answered=bool(answered))
        if following is None:
            return stop(_strongest(order, evidence, answered), "nobody else is to be asked")
        live = following == order[-1] and not answered
        call = CallStep(candidate=following, live=live)
        return Plan(step=call, propensity=1.0, reason=_why(order, following))

    def _order(self, situation: Situation, left: Options) -> tuple[str, ...]:
        """Whom to ask, in order: a cheap pair where that pays, and the strong one last.

        Hangs on the estimates alone, so it is the same at every step.
        """
        every = [k for k in range(len(left.names)) if _within(situation, left, k)]
        every = every or list(range(len(left.names)))
        strong = max(every, key=lambda k: (left.quality[k] - left.paid[k], -left.cost_usd[k]))
        cheap = [k for k in every if left.cost_usd[k] < left.cost_usd[strong]]
        if left.comparable < ENOUGH or len(cheap) < 2 or not left.paid[strong] > 0.0:
            return (left.names[strong],)
        cheap = sorted(cheap, key=lambda k: left.paid[k] - left.quality[k])[:FEW]
        gain, pair = max((self._gain(left, pair, strong), pair) for pair in combinations(cheap, 2))
        if gain <= 0.0:
            return (left.names[strong],)
        first, second = sorted(pair, key=lambda k: left.cost_usd[k])
        return left.names[first], left.names[second], left.names[strong]

    def _gain(self, left: Options, pair: tuple[int, int], strong: int) -> float:
        """What asking the pair first gains over asking the strong one alone."""
        (a, b), q = pair, left.quality
        right = q[a] * q[b] * self.vote.same
        agree = right + (1.0 - q[a]) * (1.0 - q[b]) * self.vote.collide
        saved = agree * left.paid[strong] - left.paid[a] - left.paid[b]
        return right - agree * q[strong] + saved


def _within(situation: Situation, left: Options, k: int) -> bool:
    """Whether a limit of the request leaves room for it, had nobody been called yet."""
    most, floor = situation.objective.max_cost_usd, situation.objective.min_quality
    return (most is None or left.cost_usd[k] <= most) and (
        floor is None or left.quality[k] >= floor
    )


def _next(order: tuple[str, ...], left: Options, *, answered: bool) -> str | None:
    """The next of the order that may be called; anybody at all where nobody has answered."""
    may = {name for name, ok in zip(left.names, left.open, strict=True) if ok}
    following = next((name for name in order if name in may), None)
    if following is None and not answered:
        return max(may, key=lambda name: left.quality[left.at(name)], default=None)
    return following


def _agreed(evidence: Evidence) -> int | None:
    """The most trusted of the answers that most agree on, if two do; None if no two do."""
    counts = Counter(group for group in evidence.groups if group >= 0)
    if not counts or counts.most_common(1)[0][1] < 2:
        return None
    group = counts.most_common(1)[0][0]
    same = [i for i, other in enumerate(evidence.groups) if other == group]
    return max(same, key=lambda i: evidence.confidences[i] or 0.0)


def _strongest(order: tuple[str, ...], evidence: Evidence, answered: list[int]) -> int | None:
    """Where no two agree: what the last of the order says, else the most trusted answer."""
    last = [i for i in answered if evidence.attempts[i].candidate == order[-1]]
    return last[0] if last else evidence.best


def _why(order: tuple[str, ...], following: str) -> str:
    if len(order) == 1:
        return "a cheap pair would not pay: straight to the most useful one"
    return "the cheap ones disagree" if following == order[-1] else "two cheap ones are compared"
