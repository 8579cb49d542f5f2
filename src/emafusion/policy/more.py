"""What one more answer is worth when several are in hand, in groups of equal ones.

With the groups' probabilities P_g, the best one b, and a candidate that agrees with group g with
probability m_g (see `policy.vote`),

    gain = sum_(g != b) m_g (P_g' - P_b')+ + m_0 (P_k' - P_b')+,   m_0 = 1 - sum m_g

where ' is after it has answered so. That is a difference within one model of the future, so it is
never negative. An answer that cannot be compared is only replaced: another is worth (q - r)+.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from emafusion.domain.evidence import Evidence
from emafusion.policy.vote import Vote, odds_of

LEAST_NONE = 0.02
"""Probability that none of the answers is right, at least."""


class Groups(Struct, frozen=True, kw_only=True):
    """What is held.

    `best`: probability of the best answer; `odds`: of each group that an answer can join, against
    "none is right", the best one first; empty where nothing can join the best answer. `total`:
    their sum.
    """

    best: float
    odds: tuple[float, ...]
    total: float

    def told(self, factor: float) -> Groups:
        """The same after news of the best answer: its odds times a factor."""
        if not self.odds:
            odds = odds_of(self.best) * factor
            return Groups(best=odds / (1.0 + odds), odds=(), total=0.0)
        return _groups([self.odds[0] * factor, *self.odds[1:]])


def groups_in(evidence: Evidence) -> Groups:
    """Groups of the answers so far, each as probable as its most trusted answer.

    >>> groups_in(Evidence(confidences=(0.5, 0.25, 0.4), groups=(0, 1, 0))).odds
    (2.0, 1.0)
    """
    strongest: dict[int, float] = {}
    best, mute = 0.0, 0.0
    for group, confidence in zip(evidence.groups, evidence.confidences, strict=True):
        if confidence is None:
            continue
        if group >= 0:
            strongest[group] = max(strongest.get(group, 0.0), confidence)
            best = max(best, confidence)
        else:
            mute = max(mute, confidence)
    if mute >= best:
        return Groups(best=mute, odds=(), total=0.0)
    none = max(LEAST_NONE, 1.0 - sum(strongest.values()))
    return _groups([chance / none for chance in strongest.values()])


def one_more(groups: Groups, quality: Sequence[float], vote: Vote) -> list[float]:
    """Gain of one more answer of each candidate, before its price: n numbers >= 0."""
    if not groups.odds:
        return [max(0.0, q - groups.best) for q in quality]
    best, whole = groups.odds[0], 1.0 + groups.total
    rivals = [(odds, odds / whole, vote.lift(odds)) for odds in groups.odds[1:]]
    return [_gain(q, (best, best / whole, whole), rivals=rivals, vote=vote) for q in quality]


def _gain(
    quality: float,
    held: tuple[float, float, float],
    *,
    rivals: list[tuple[float, float, float]],
    vote: Vote,
) -> float:
    best, chance, whole = held
    own, base = odds_of(quality), (1.0 - quality) * vote.collide
    slope = quality * vote.same - base
    spent, gain = base + chance * slope, 0.0
    lift = vote.lift(own) if rivals else 1.0
    for odds, share, lifted in rivals:
        side = base + share * slope
        spent += side
        raised = max(odds * lift, own * lifted)
        if raised > best:
            gain += side * (raised - best) / (whole - odds + raised)
    if spent > 1.0:
        return gain / spent
    return gain + (1.0 - spent) * (own - best) / (whole + own) if own > best else gain


def _groups(odds: list[float]) -> Groups:
    ordered = tuple(sorted(odds, reverse=True))
    total = sum(ordered)
    return Groups(best=ordered[0] / (1.0 + total), odds=ordered, total=total)
