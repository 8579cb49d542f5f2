"""The cheapest setting of the dial at which a share of the reference's quality is kept."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log
from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Floats
from emafusion.replay.guarantee.betting import CAUTION
from emafusion.replay.guarantee.sequence import last_passing, share_kept

STEPS = 12
"""Halvings with which the share within reach is found, to about 0.0002."""


class Setting(NamedTuple):
    """One setting of the dial: score of each answer given there, float64[n] in 0..1."""

    quality_weight: float
    score: Floats


class Kept(NamedTuple):
    """The setting that is kept, and the p-value of its test."""

    setting: Setting
    p_value: float


def cheapest_kept(
    settings: Sequence[Setting], reference: Floats, share: float, *, delta: float, seed: int = 0
) -> Kept | None:
    """Test the dial from its safest end on; None where even that fails.

    Args:
        settings: in any order; tested from the largest quality_weight to the smallest.
        reference: float64[n], scores of the reference on the same queries.
        share: of the reference's quality that is to be kept, 0..1.
        delta: chance of a false promise, such as 0.05.
        seed: of the order in which queries are looked at.
    """
    ordered = sorted(settings, key=lambda setting: -setting.quality_weight)
    p_values: list[float] = []
    for setting in ordered:
        p_values.append(share_kept(setting.score, reference, share, seed=seed))
        if p_values[-1] > delta:
            break
    last = last_passing(p_values, delta)
    return None if last is None else Kept(ordered[last], p_values[last])


def share_within_reach(
    score: Floats, reference: Floats, *, delta: float, seed: int = 0
) -> float | None:
    """Largest share that these labels support at one setting; None where not even a tenth.

    Told so that one knows where one stands; a promise of just that share would need fresh labels.
    """
    low, high = 0.1, 1.0
    if share_kept(score, reference, low, seed=seed) > delta:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        if share_kept(score, reference, middle, seed=seed) <= delta:
            low = middle
        else:
            high = middle
    return low


def queries_needed(score: Floats, reference: Floats, share: float, *, delta: float) -> int | None:
    """About how many labelled queries would do, if they look like these; None if none would.

    As many as it takes wealth to grow to 1 / delta at the best bet that is ever made.

    >>> queries_needed(np.ones(10), np.ones(10), 0.95, delta=0.05) is not None
    True
    """
    difference = score - share * reference
    mean = float(difference.mean()) if len(difference) else 0.0
    if mean <= 0.0:
        return None
    stake = min(mean / float(np.square(difference).mean()), CAUTION / share)
    growth = float(np.log1p(stake * difference).mean())
    return ceil(log(1 / delta) / growth) if growth > 0.0 else None
