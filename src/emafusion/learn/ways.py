"""Ways to learn in what models differ: what is asked of the words, and how models answer to it.

Every way gives columns, one row a query, that ridge regression learns to predict from words, and
loadings by which a model turns a predicted column into its own advantage. `linear` has a column a
model. `factor` and `irt` first find a few hidden traits of each query from who answered it well:
by matrix factorisation of what scores leave open, or by item response theory in several
dimensions, P(right) = sigmoid(ability - difficulty + traits . loadings).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.hybrid import sigmoid

WayName = Literal["linear", "factor", "irt"]
WAYS: tuple[WayName, ...] = ("linear", "factor", "irt")

TRAITS = 4
"""Hidden traits of a query, at most."""

ROUNDS = 12
TRAIT_SD, LOADING_SD = 1.0, 0.5
"""Prior spread of traits and of loadings, logits."""

NOISE = 0.4
"""Standard deviation of a score around what factorisation says of it."""


class Way(NamedTuple):
    """`columns`: float64[n, r], NaN unknown; `loadings`: float64[m, r]."""

    columns: Floats
    loadings: Floats


def way_of(name: WayName, residual: Floats, *, base: Floats) -> Way:
    """Columns and loadings of one way.

    `residual`: float64[n, m], scores less `base`, which ability and difficulty expect; NaN where
    the model did not answer.

    >>> way_of("linear", np.zeros((5, 2)), base=np.full((5, 2), 0.5)).loadings.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if name == "linear":
        return Way(residual, np.eye(residual.shape[1]))
    return _factored(residual) if name == "factor" else _response(residual, base)


def way_named(name: str) -> WayName:
    """The way behind a learned view; `linear` for what stands on it."""
    found: WayName = "linear"
    for way in WAYS:
        found = way if way == name else found
    return found


def _factored(residual: Floats) -> Way:
    """Alternating least squares with normal priors, over what was answered."""
    known, held = _known(residual)
    loadings = _start(held)
    traits = np.zeros((len(held), loadings.shape[1]))
    weight = known / NOISE**2
    for _ in range(ROUNDS):
        traits = _solved(loadings, weight, held * weight, sd=TRAIT_SD)
        loadings = _solved(traits, weight.T, (held * weight).T, sd=LOADING_SD)
    return Way(traits, loadings)


def _response(residual: Floats, base: Floats) -> Way:
    """Item response theory: alternating Newton steps on traits and loadings."""
    known, held = _known(residual)
    offset = _logit(base)
    loadings = _start(held) * 4.0  # a residual of 1 is some 4 logits
    traits = np.zeros((len(held), loadings.shape[1]))
    for _ in range(ROUNDS):
        for is_traits in (True, False):
            p = sigmoid(offset + traits @ loadings.T)
            bend = known * np.maximum(p * (1 - p), 0.02)
            pull = known * (held + base - p) + bend * (traits @ loadings.T)
            if is_traits:
                traits = _solved(loadings, bend, pull, sd=TRAIT_SD)
            else:
                loadings = _solved(traits, bend.T, pull.T, sd=LOADING_SD)
    return Way(traits, loadings)


def _known(residual: Floats) -> tuple[Floats, Floats]:
    known = (~np.isnan(residual)).astype(np.float64)
    return known, np.nan_to_num(residual)


def _start(held: Floats) -> Floats:
    """Main directions of the residuals as first loadings: float64[m, r]."""
    values, vectors = np.linalg.eigh(held.T @ held / max(len(held), 1))
    most = min(TRAITS, held.shape[1])
    sizes = np.sqrt(np.maximum(values[::-1][:most], 1e-6))
    start: Floats = vectors[:, ::-1][:, :most] * sizes
    return start


def _solved(rows: Floats, weight: Floats, pull: Floats, *, sd: float) -> Floats:
    """One weighted ridge solution for each of k targets: float64[k, r].

    `rows`: float64[j, r]; `weight`, `pull`: float64[k, j].
    """
    r = rows.shape[1]
    outer = (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), r * r)
    moments = (weight @ outer).reshape(-1, r, r) + np.eye(r) / sd**2
    found = np.linalg.solve(moments, (pull @ rows)[:, :, None])[:, :, 0]
    return np.asarray(found, np.float64)


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    logits: Floats = np.log(inside / (1 - inside))
    return logits
