"""Which view decided."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.hybrid import AXES, CLASSES, LEARNED, Views

SMALLEST = 1e-9


def routes_of(weights: Floats, views: Views) -> list[str]:
    """For each query the view that moves the candidates apart most; `prior` where none does.

    `weights`: float64[n, 3].
    """
    tables = weights[:, AXES, None] * views.axes + weights[:, CLASSES, None] * views.classes
    by_table = _range(tables)
    by_heads = _range(weights[:, LEARNED, None] * views.learned)
    return [
        "prior" if max(table, heads) <= SMALLEST else "taxonomy" if table >= heads else "learned"
        for table, heads in zip(by_table.tolist(), by_heads.tolist(), strict=True)
    ]


def _range(values: Floats) -> Floats:
    """Largest less smallest of each row; 0 for empty rows."""
    if values.shape[-1] == 0:
        return np.zeros(len(values))
    spread: Floats = values.max(axis=1) - values.min(axis=1)
    return spread
