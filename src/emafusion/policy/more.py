"""What one more answer is worth when several are in hand, in groups of equal ones.

With the groups' probabilities P_g, the best one b, and a candidate that agrees with group g with
probability m_g (see `policy.vote`),

    gain = sum_(g != b) m_g (P_g' - P_b')+ + m_0 (P_k' - P_b')+,   m_0 = 1 - sum m_g

where ' is after it has answered so. That is a difference within one model of the future, so it is
never negative. Where answers cannot be compared, another one is worth (q - P_b)+.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from emafusion.domain.evidence import Evidence
from emafusion.policy.vote import Vote, odds_of

LEAST_NONE = 0.02
"""Probability that none of the answers is right, at least."""


class Groups(Struct, frozen=True, kw_only=True):
    """Odds of each group against "none is right", the best one first; `total`: their sum."""

    odds: tuple[float, ...]
    total: float

    @property
    def best(self) -> float:
        """Probability of the best group."""
        return self.odds[0] / (1.0 + self.total)


def groups_in(evidence: Evidence) -> Groups:
    """Groups of the answers so far, each as probable as its most trusted answer.

    >>> groups_in(Evidence(confidences=(0.5, 0.25, 0.4), groups=(0, 1, 0))).odds
    (2.0, 1.0)
    """
    strongest: dict[int, float] = {}
    for group, confidence in zip(evidence.groups, evidence.confidences, strict=True):
        if confidence is not None:
            strongest[group] = max(strongest.get(group, 0.0), confidence)
    chances = sorted(strongest.values(), reverse=True)
    none = max(LEAST_NONE, 1.0 - sum(chances))
    odds = tuple(chance / none for chance in chances)
    return Groups(odds=odds, total=sum(odds))


def one_more(groups: Groups, quality: Sequence[float], vote: Vote) -> list[float]:
    """Gain of one more answer of each candidate, before its price: n numbers >= 0."""
    return [_gain(groups, q, vote) for q in quality]


def _gain(groups: Groups, quality: float, vote: Vote) -> float:
    own, best, whole = odds_of(quality), groups.odds[0], 1.0 + groups.total
    lift, base = vote.lift(own), (1.0 - quality) * vote.collide
    slope = quality * vote.same - base
    sides = [base + odds / whole * slope for odds in groups.odds]
    scale = max(1.0, sum(sides))
    gain = max(0.0, 1.0 - sum(sides) / scale) * max(0.0, own - best) / (whole + own)
    for side, odds in zip(sides[1:], groups.odds[1:], strict=True):
        raised = odds * lift
        if raised > best:
            gain += side / scale * (raised - best) / (whole - odds + raised)
    return gain
