"""What another answer may say, and what that does to the groups of equal answers: in odds.

The groups g of equal answers so far have probabilities P_g of being right, at most one is right, so
odds `o_g = P_g / none` with `none = 1 - sum P_g`. A candidate of quality q answers as group g does
with probability

    m_g = P_g q same + (1 - P_g) (1 - q) collide = base + P_g slope

and something new with the rest. If it agrees with g, the group's odds rise by `lift`; something
new is a group of odds `o = q / (1 - q)`. Always `P = o / (1 + sum o)`.
"""

from __future__ import annotations

from math import exp, log

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats

LEAST, MOST = 0.0025, 0.9975
"""Probabilities are kept within these, so that odds stay finite."""


class Vote(Struct, frozen=True, kw_only=True):
    """How much an equal answer tells.

    `agree`, `peer`: an answer of odds o that agrees adds `max(0, agree + peer ln o)` log-odds, as
    in the panel of judges; `same`: chance that two right answers are found equal; `collide`: that
    two wrong ones are.
    """

    agree: float = 1.0
    peer: float = 0.2
    same: float = 0.95
    collide: float = 0.3

    def lift(self, odds: float) -> float:
        """Factor on a group's odds when an answer of these odds agrees with it; at least 1.

        >>> round(Vote(agree=0.0, peer=1.0).lift(3.0), 9)
        3.0
        """
        return max(1.0, exp(self.agree + self.peer * log(odds)))

    def lifts(self, odds: Floats) -> Floats:
        """The same for many."""
        raised = np.power(odds, self.peer)
        raised *= exp(self.agree)
        return np.maximum(raised, 1.0, out=raised)


def odds_of(probability: float) -> float:
    """Odds of a probability, kept finite.

    >>> odds_of(0.75)
    3.0
    """
    kept = min(max(probability, LEAST), MOST)
    return kept / (1.0 - kept)


def many_odds(probability: Floats) -> Floats:
    """The same for many."""
    kept = np.minimum(np.maximum(probability, LEAST), MOST)
    return np.asarray(kept / (1.0 - kept))
