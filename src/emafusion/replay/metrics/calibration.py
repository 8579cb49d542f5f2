"""Whether a confidence means what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Queries whose confidence lies in `low`..`high`: how many, and what they turned out to be."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def brier(confidence: Floats, score: Floats) -> float | None:
    """Mean squared gap between confidence and score (Brier, 1950); None where nothing is known.

    >>> brier(np.array([1.0, 0.5]), np.array([1.0, 1.0]))
    0.125
    """
    known = np.isfinite(confidence) & np.isfinite(score)
    if not known.any():
        return None
    return float(((confidence[known] - score[known]) ** 2).mean())


def reliability(confidence: Floats, score: Floats, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal width over 0..1 that hold any query, from the lowest.

    >>> [(b.count, b.accuracy) for b in reliability(np.array([0.1, 0.95, 1.0]), np.ones(3))]
    [(1, 1.0), (2, 1.0)]
    """
    known = np.isfinite(confidence) & np.isfinite(score)
    sure, right = confidence[known], score[known]
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    return tuple(
        Bin(
            low=b / bins,
            high=(b + 1) / bins,
            count=int((place == b).sum()),
            confidence=float(sure[place == b].mean()),
            accuracy=float(right[place == b].mean()),
        )
        for b in np.unique(place).tolist()
    )


def expected_error(confidence: Floats, score: Floats, bins: int = BINS) -> float | None:
    """Expected calibration error: mean gap of the bins, weighted by their size.

    Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"
    (AAAI 2015). None where nothing is known.

    >>> round(expected_error(np.array([0.8, 0.8]), np.array([1.0, 0.0])), 12)
    0.3
    """
    found = reliability(confidence, score, bins)
    total = sum(each.count for each in found)
    if not total:
        return None
    return sum(each.count * abs(each.confidence - each.accuracy) for each in found) / total
