"""How far slow labels are believed against fast ones: one weight for an axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emafusion.domain.features import Floats, Ints

PRIOR, PRIOR_ITEMS = 0.7, 20.0
"""The stated weight, and how many labelled items it counts as."""

_GOLDEN = (5**0.5 - 1) / 2
_EDGE, _NARROW = 1e-6, 1e-5
_LEAST = 1e-12


def fit_mix(slow: Floats, fast: Floats, truth: Ints) -> float:
    """The L in 0..1 whose mix `L slow + (1 - L) fast` makes the true classes likeliest.

    `slow`, `fast`: float64[n, k], probabilities of both classifiers; `truth`: int64[n], places of
    the true classes. Minimises the negative log-likelihood with a Beta prior around `PRIOR` worth
    `PRIOR_ITEMS` items; convex in L, so golden section finds the minimum. No items: the prior.

    >>> fit_mix(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int64))
    0.7
    >>> sure, unsure = np.tile([0.9, 0.1], (500, 1)), np.tile([0.5, 0.5], (500, 1))
    >>> fit_mix(sure, unsure, np.zeros(500, np.int64)) > 0.9
    True
    """
    rows = np.arange(len(truth))
    right_slow, right_fast = slow[rows, truth], fast[rows, truth]

    def loss(share: float) -> float:
        right = share * right_slow + (1.0 - share) * right_fast
        prior = PRIOR * np.log(share) + (1.0 - PRIOR) * np.log(1.0 - share)
        return -float(np.log(np.maximum(right, _LEAST)).sum() + PRIOR_ITEMS * prior)

    return round(_lowest(loss, _EDGE, 1.0 - _EDGE), 4)


def _lowest(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where a convex function is lowest, by golden section."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > _NARROW:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return (low + high) / 2
