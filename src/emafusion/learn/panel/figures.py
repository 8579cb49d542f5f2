"""How good probabilities are: ranking, squared error, calibration."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats

BINS = 15


def auc(right: Floats, probability: Floats) -> float:
    """Chance that a right answer gets the higher probability than a wrong one, ties half.

    >>> auc(np.array([1.0, 0.0, 0.0]), np.array([0.9, 0.9, 0.1]))
    0.75
    """
    _, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    ones = float(right.sum())
    zeros = len(right) - ones
    if not ones or not zeros:
        return float("nan")
    return float((rank[right == 1.0].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def ece(right: Floats, probability: Floats, bins: int = BINS) -> float:
    """Expected calibration error over equal bins of probability."""
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, weights=right - probability, minlength=bins)
    return float(np.abs(gap).sum() / max(count.sum(), 1))


def figures(right: Floats, probability: Floats, name: str) -> dict[str, float]:
    """AUC, Brier score and calibration error, keys `NAME auc`, ..., rounded to four places."""
    brier = float(((right - probability) ** 2).mean())
    parts = (("auc", auc(right, probability)), ("brier", brier), ("ece", ece(right, probability)))
    return {f"{name} {part}": round(value, 4) for part, value in parts}
