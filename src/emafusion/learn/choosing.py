"""Which way to learn or to read serves best, by the choices it led to on rows held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Floats

SURE = 1.0
"""Standard errors by which another way must beat the first one: else chance would choose."""


class Chosen(NamedTuple):
    """`name`: of the best one; `gains`: by name, points of utility over doing without any."""

    name: str
    gains: Mapping[str, float]


def choose(utilities: Mapping[str, Floats], alone: Floats) -> Chosen:
    """The one of the highest mean utility, the first where none is surely better.

    `utilities`: by name the utility of each row's choice, float64[n]; `alone`: float64[n], of
    doing without any.

    >>> rows = np.arange(100) % 2.0
    >>> chosen = choose({"linear": rows, "irt": rows + 0.1}, rows)
    >>> chosen.name, round(chosen.gains["irt"], 1)
    ('irt', 10.0)
    """
    first, *others = utilities
    name, best = first, 0.0
    for other in others:
        more = utilities[other] - utilities[first]
        error = float(more.std()) / np.sqrt(max(len(more), 1))
        if more.mean() > max(SURE * error, best):
            name, best = other, float(more.mean())
    gains = {way: 100.0 * float((each - alone).mean()) for way, each in utilities.items()}
    return Chosen(name, gains)
