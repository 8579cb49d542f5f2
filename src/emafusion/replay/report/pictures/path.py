"""A line from setting to setting as it really runs, whatever the axis."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from emafusion.domain.features import Floats

STEPS = 24
"""Pieces of a line between two settings."""


def between(corners: Sequence[tuple[float, ...]], *, is_log: bool) -> list[tuple[float, ...]]:
    """The corners and what lies between: draws by lot between two neighbours.

    A draw is straight over dollars, the first of each corner's numbers, and so bent where the axis
    is their logarithm (`is_log`): the points between are even on the axis.

    >>> [x for x, _ in between([(0.0, 1.0), (12.0, 0.0)], is_log=False)][:3]
    [0.0, 0.5, 1.0]
    """
    if len(corners) < 2:
        return list(corners)
    pieces = [_piece(np.array(a), np.array(b), is_log=is_log) for a, b in pairwise(corners)]
    found: list[list[float]] = np.vstack([*pieces, np.array([corners[-1]])]).tolist()
    return [tuple(row) for row in found]


def _piece(here: Floats, there: Floats, *, is_log: bool) -> Floats:
    """From a corner up to the next: float64[STEPS, k]."""
    parts = np.linspace(0.0, 1.0, STEPS, endpoint=False)
    ratio = float(there[0] / here[0]) if is_log else 1.0
    if abs(ratio - 1.0) > 1e-9:
        parts = (ratio**parts - 1.0) / (ratio - 1.0)
    return np.asarray(here + parts[:, None] * (there - here))
