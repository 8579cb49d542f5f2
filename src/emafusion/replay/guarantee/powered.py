"""Prediction-powered means: few labels and many verdicts make one interval that stays honest.

The verdicts f of judges are known of all answers, labels y of a few. The mean of the verdicts is
corrected by what the labels say of them; how much weight the verdicts get is tuned on labels that
are then not used with it. After Angelopoulos, Duchi and Zrnic, "PPI++" (2023), cross-fitted in
halves:

    theta = w mean_N(f) + mean_n(y - w f),   w = cov_n(y, f) / ((1 + n/N) var f)

Unbiased whatever the judges are worth; never much wider than the labels alone.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats
from emafusion.replay.guarantee.student import t_quantile

FEWEST = 4
"""Labels below which there is no interval."""


class Mean(Struct, frozen=True, kw_only=True):
    """An estimated mean with its interval; `labels` counts those that it rests on."""

    mean: float
    low: float
    high: float
    labels: int


def powered_mean(
    labels: Floats, verdicts: Floats, others: Floats, *, level: float = 0.95, seed: int = 0
) -> Mean | None:
    """Mean label of all answers; None below 4 labels.

    Args:
        labels: float64[n], true scores of labelled answers, drawn at random.
        verdicts: float64[n], the judges' verdicts on the same answers.
        others: float64[N], their verdicts on answers without labels.
        level: of the interval.
        seed: of the split in halves.

    >>> rng = np.random.default_rng(0)
    >>> found = powered_mean(rng.random(50), rng.random(50), rng.random(500))
    >>> found is not None and found.low < found.mean < found.high
    True
    """
    n = len(labels)
    if n < FEWEST or verdicts.shape != labels.shape:
        return None
    halves = np.array_split(np.random.default_rng(seed).permutation(n), 2)
    spread = float(others.var()) if len(others) else 0.0
    means: list[float] = []
    variances: list[float] = []
    for half, other in (halves, halves[::-1]):
        weight = _weight(labels[other], verdicts[other], others)
        left = labels[half] - weight * verdicts[half]
        means.append(float(left.mean()) + weight * (float(others.mean()) if len(others) else 0.0))
        variances.append(
            float(left.var(ddof=1)) / len(half) + weight**2 * spread / max(len(others), 1)
        )
    mean, error = sum(means) / 2, sqrt(sum(variances)) / 2
    width = t_quantile((1 + level) / 2, n - 2) * error
    return Mean(mean=mean, low=mean - width, high=mean + width, labels=n)


def drawn_mean(
    scores: Floats, verdicts: Floats, chances: Floats, *, level: float = 0.95, seed: int = 0
) -> Mean:
    """Mean score of all answers, each drawn to be labelled by itself, with a known chance.

    Every answer counts by its verdict; one that was labelled adds what its verdict missed, divided
    by its chance. So unsure answers may be drawn more often, and the mean over all draws is still
    the true one, whatever the verdicts are worth. The weight of the verdicts in one half of the
    answers is tuned on the other.

    Args:
        scores: float64[N], 0..1, NaN where nobody labelled.
        verdicts: float64[N], what the judges say of each.
        chances: float64[N], above 0, with which each was drawn; read where there is a score alone.
        level: of the interval.
        seed: of the split in halves.

    >>> nan = float("nan")
    >>> found = drawn_mean(np.array([1, nan, nan, 0]), np.full(4, 0.5), np.full(4, 0.5))
    >>> found.mean, found.labels
    (0.5, 2)
    """
    known = np.isfinite(scores)
    shares = np.divide(1.0, chances, out=np.zeros(len(scores)), where=known)
    told = np.where(known, scores, 0.0) * shares
    bare = verdicts * (1.0 - shares)
    halves = np.array_split(np.random.default_rng(seed).permutation(len(scores)), 2)
    each = np.array(told)
    for half, other in (halves, halves[::-1]):
        each[half] += _share(told[other], bare[other]) * bare[half]
    labels = int(known.sum())
    mean, error = float(each.mean()), sqrt(float(each.var(ddof=1)) / len(each))
    width = t_quantile((1 + level) / 2, max(labels - 2, 1)) * error
    return Mean(mean=mean, low=mean - width, high=mean + width, labels=labels)


def _share(told: Floats, bare: Floats) -> float:
    """The weight of the verdicts, 0..1, with which the sum of both varies least."""
    if len(told) < 2 or float(bare.var()) < 1e-12:
        return 0.0
    return min(max(-float(np.cov(told, bare)[0, 1]) / float(bare.var(ddof=1)), 0.0), 1.0)


def _weight(labels: Floats, verdicts: Floats, others: Floats) -> float:
    """How much the verdicts count, 0..1."""
    spread = float(np.concatenate((verdicts, others)).var())
    if len(others) == 0 or spread < 1e-12 or len(labels) < 2:
        return 0.0
    shared = float(np.cov(labels, verdicts)[0, 1])
    return min(max(shared / ((1 + len(labels) / len(others)) * spread), 0.0), 1.0)
