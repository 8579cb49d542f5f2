"""Which models of a pool read for the others: good enough, and cheap at it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate

Fee = Callable[[Candidate], float | None]
"""What one reading is expected to cost, US dollars; None where it is not known."""


def better_half(candidates: tuple[Candidate, ...], quality: Floats) -> tuple[Candidate, ...]:
    """Language models that are no worse than the median of the pool.

    `quality`: float64[n], mean predicted quality of each candidate.
    """
    middle = np.median(quality)
    return tuple(
        candidate
        for candidate, good in zip(candidates, quality, strict=True)
        if good >= middle and candidate.model.kind == "language"
    )


def cheapest_first(readers: tuple[Candidate, ...], fee: Fee) -> tuple[tuple[float, Candidate], ...]:
    """Each with its fee, the cheapest first; without those whose fee is not known."""
    known = [(usd, reader) for reader in readers if (usd := fee(reader)) is not None]
    return tuple(sorted(known, key=lambda each: (each[0], each[1].name)))
