"""Fixed-sequence testing along the dial: the cheapest setting that a promise holds for.

Settings are tested from the safest on, each at the full level, until one fails. Whichever is kept,
the chance that it breaks the promise is delta at most, since the first broken one is tested at most
once. After Angelopoulos et al., "Learn then Test" (2021), section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emafusion.domain.features import Floats
from emafusion.replay.guarantee.betting import p_value
from emafusion.replay.guarantee.binomial import at_most


def last_passing(p_values: Sequence[float], delta: float) -> int | None:
    """Place of the last setting before the first that fails; None where the first one does.

    >>> last_passing([0.01, 0.04, 0.2, 0.01], 0.05), last_passing([0.3], 0.05)
    (1, None)
    """
    passed = -1
    for p in p_values:
        if not p <= delta:
            break
        passed += 1
    return passed if passed >= 0 else None


def share_kept(system: Floats, reference: Floats, share: float, *, seed: int = 0) -> float:
    """P-value of "the system keeps less than `share` of the reference's quality".

    `system`, `reference`: float64[n], scores 0..1 of the same queries, drawn independently. Tests
    the mean of `system - share x reference` by betting, in an order drawn by `seed`.

    >>> share_kept(np.ones(100), np.ones(100), 0.95) < 0.1
    True
    """
    _check(system, reference)
    difference = system - share * reference
    order = np.random.default_rng(seed).permutation(len(difference))
    return p_value(difference[order].tolist(), low=-max(share, 1e-9))


def wrong_at_most(right: Floats, limit: float) -> float:
    """P-value of "more than a share `limit` is wrong", exact (binomial).

    `right`: float64[n], 1 for a right answer and 0 for a wrong one.

    Raises `ValueError` for anything between: a graded score has no exact binomial test.

    >>> wrong_at_most(np.ones(45), 0.05) <= 0.1
    True
    """
    if not np.isin(right, (0.0, 1.0)).all():
        msg = "needs scores of 0 or 1; for graded ones use share_kept"
        raise ValueError(msg)
    wrong = int(len(right) - right.sum())
    return at_most(wrong, len(right), limit)


def not_worse(system: Floats, reference: Floats) -> float:
    """P-value of "the reference is right more often", exact and paired (sign test).

    `system`, `reference`: float64[n] of 0 and 1. Small where the system is clearly the better.

    >>> not_worse(np.array([1.0] * 9), np.array([0.0] * 9)) == 0.5**9
    True
    """
    _check(system, reference)
    better = int((system > reference).sum())
    worse = int((system < reference).sum())
    return at_most(worse, better + worse, 0.5) if better + worse else 1.0


def _check(system: Floats, reference: Floats) -> None:
    for scores in (system, reference):
        if scores.shape != system.shape or not ((scores >= 0) & (scores <= 1)).all():
            msg = "needs two arrays of one length with scores in 0..1"
            raise ValueError(msg)
