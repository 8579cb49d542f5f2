"""What one more answer is worth when several are in hand, in groups of equal ones.

The groups g have probabilities P_g of being right, none is with `P_0 = 1 - sum P_g`. A candidate
says as group g does with joint probability `P_g q s` (g is right) or `P_h (1 - q) c` (h is), or
something new; after each the likeliest group is given. So, with b the best group now,

    gain = sum_g max_h P(h right, says g) + max(P(b right, says new), P_0 q) - P_b

a difference within one model of the future, so never negative (see `policy.vote` for s and c). An
answer that cannot be compared is only replaced: another is worth (q - P_b)+.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from emafusion.domain.evidence import Evidence
from emafusion.policy.vote import Vote

LEAST_NONE = 0.02
"""Weight of "none of the answers is right", at least, beside the sum of the others."""


class Groups(Struct, frozen=True, kw_only=True):
    """What is held.

    `best`: probability of the best answer. `chances`: of each group that an answer can join, the
    best one first; empty where nothing can join the best answer. `none`: that none is right.
    """

    best: float
    chances: tuple[float, ...]
    none: float

    def told(self, factor: float) -> Groups:
        """The same after news of the best answer: its odds times a factor."""
        if not self.chances:
            raised = self.best * factor
            best = raised / (raised + 1.0 - self.best)
            return Groups(best=best, chances=(), none=1.0 - best)
        return _groups([self.chances[0] * factor, *self.chances[1:]], self.none)


def groups_in(evidence: Evidence) -> Groups:
    """Groups of the answers so far, each as probable as its most trusted answer.

    >>> groups_in(Evidence(confidences=(0.5, 0.25, 0.4), groups=(0, 1, 0))).chances
    (0.5, 0.25)
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
        return Groups(best=mute, chances=(), none=1.0 - mute)
    return _groups(list(strongest.values()), max(LEAST_NONE, 1.0 - sum(strongest.values())))


def one_more(groups: Groups, quality: Sequence[float], vote: Vote) -> list[float]:
    """Gain of one more answer of each candidate, before its price: n numbers >= 0."""
    best, chances = groups.best, groups.chances
    if not chances:
        return [max(0.0, q - best) for q in quality]
    collide = vote.collision(len(chances))
    rival = chances[1] if len(chances) > 1 else 0.0
    gains: list[float] = []
    for q in quality:
        meets, errs = q * vote.same, (1.0 - q) * collide
        sides = max(best * meets, rival * errs)
        for chance in chances[1:]:
            sides += max(chance * meets, best * errs)
        new = best * (1.0 - meets - errs * (len(chances) - 1))
        gains.append(max(0.0, sides + max(new, groups.none * q) - best))
    return gains


def would_be_given(groups: Groups, quality: float, vote: Vote) -> bool:
    """Whether one more answer of this quality would be the one to give, whatever it says."""
    if not groups.chances:
        return quality > groups.best
    collide = vote.collision(len(groups.chances))
    meets, errs = quality * vote.same, (1.0 - quality) * collide
    rest = groups.best * (1.0 - meets - errs * (len(groups.chances) - 1))
    sides = all(chance * meets >= groups.best * errs for chance in groups.chances[1:])
    return sides and groups.none * quality > rest


def _groups(weights: list[float], none: float) -> Groups:
    whole = sum(weights) + none
    chances = tuple(sorted([weight / whole for weight in weights], reverse=True))
    return Groups(best=chances[0], chances=chances, none=none / whole)
