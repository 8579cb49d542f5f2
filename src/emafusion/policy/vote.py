"""What another answer may say, if answers can be compared.

At most one group of equal answers is right. A candidate of quality q answers as group g does with
probability `q same` if g is right and `(1 - q) collide` if not; else it says something new, which
is right with probability q where no group is.
"""

from __future__ import annotations

from msgspec import Struct

MOST = 0.9
"""No wrong answer is taken for sure to meet one of the wrong groups that there are."""


class Vote(Struct, frozen=True, kw_only=True):
    """How often answers meet.

    `same`: chance that two right answers are found equal; `collide`: that two wrong ones are.
    """

    same: float = 0.95
    collide: float = 0.3

    def collision(self, groups: int) -> float:
        """Chance that a wrong answer meets one certain wrong group of so many.

        >>> Vote(collide=0.3).collision(2), Vote(collide=0.5).collision(3)
        (0.3, 0.3)
        """
        return min(self.collide, MOST / max(groups, 1))
