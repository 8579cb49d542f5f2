"""The exact worth of calling on, by backward induction over everything that may still be said.

The model is that of `policy.more`: joint weights P_g that group g is right and P_0 that none is; a
candidate of quality q says as group g does with joint weight `P_g q s` (g is right) or `P_h (1 - q)
c` (h is, or none), or something new, right with `P_0 q`. So with W all the weight

    V(P, left, n) = max( max_g P_g,  max_k  sum_outcomes V(P after, left - k, n - 1) - fee_k W )

No error of level enters, and nothing is simulated. The tree grows as n! with the candidates, so it
is for small pools; a branch is cut only where its fee exceeds all that could be gained.
"""

from __future__ import annotations

from msgspec import Struct

from emafusion.policy.plain import Seat
from emafusion.policy.vote import MOST, Vote

Weights = tuple[float, ...]


class Tree(Struct, frozen=True, kw_only=True):
    """Candidates by place, how their answers meet, and the least that a call must gain."""

    seats: tuple[Seat, ...]
    vote: Vote
    least: float = 0.0

    def value(self, groups: Weights, none: float, left: tuple[int, ...], *, looks: int) -> float:
        """Weight of being right at the end, fees taken off, if all goes on as well as it can.

        `left`: places of those who may be called; `looks`: answers that may still be asked for.
        """
        best = max(groups, default=0.0)
        if looks <= 0:
            return best
        return max([best, *(self.after(k, groups, none, left=left, looks=looks) for k in left)])

    def after(
        self, k: int, groups: Weights, none: float, *, left: tuple[int, ...], looks: int
    ) -> float:
        """The same if candidate k is called now."""
        seat, whole = self.seats[k], sum(groups) + none
        fee = (seat.fee + self.least) * whole
        best = max(groups, default=0.0)
        if fee >= whole - best:  # it could not even pay if it settled everything
            return best - fee
        rest = tuple(j for j in left if j != k)
        errs = self._errs(seat, len(groups))
        total = -fee
        for g in range(len(groups)):
            said = tuple(
                weight * (seat.meets if h == g else errs) for h, weight in enumerate(groups)
            )
            total += self.value(said, none * errs, rest, looks=looks - 1)
        silent = 1.0 - seat.meets - errs * (len(groups) - 1)
        new = (*(weight * silent for weight in groups), none * seat.quality)
        missed = none * (1.0 - seat.quality - errs * len(groups))
        return total + self.value(new, max(missed, 0.0), rest, looks=looks - 1)

    def _errs(self, seat: Seat, groups: int) -> float:
        """Chance that it says as one certain group does that is wrong."""
        return (1.0 - seat.quality) * min(self.vote.collide, MOST / max(groups, 1))
