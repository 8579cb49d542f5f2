"""How much each view is worth: weights from predictions made while rows were held out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.hybrid import sigmoid
from emafusion.learn.ability import Scale


class HeldOut(NamedTuple):
    """Predictions of both views on held-out rows: float64[n, m] each."""

    taxonomy: Floats
    learned: Floats


class Worth(NamedTuple):
    """Weights of taxonomy and learned view, float64[2], and the spread of advantages around it."""

    weights: Floats
    spread: float


def fit_weights(residual: Floats, held_out: HeldOut) -> Worth:
    """Non-negative least squares of the differences between models on those the views predict.

    Differences within a query are what a choice uses; its level is not. `residual`: float64[n, m],
    NaN where not answered.
    """
    known = ~np.isnan(residual)
    target = _centred(residual, known)
    views = np.stack([_centred(view, known) for view in held_out])
    products = np.einsum("anm,bnm->ab", views, views) + 1e-6 * np.eye(2)
    towards = np.einsum("anm,nm->a", views, target)
    weights = np.clip(_non_negative(products, towards), 0.0, 1.5)
    left = target - np.tensordot(weights, views, axes=1)
    return Worth(weights, _spread(left, known))


def noise_of(scale: Scale, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Mean variance of a right-or-wrong score around its expectation."""
    expected = sigmoid(scale.ability - scale.difficulty[:, None])
    return float((expected * (1 - expected))[known].mean())


def _spread(left: Floats, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Standard deviation of what models have in common across queries: from paired halves.

    The mean residual of a model over half of the rows times that over the other half has the
    noise averaged out.
    """
    halves = (slice(0, None, 2), slice(1, None, 2))
    means = [left[h].sum(axis=0) / np.maximum(known[h].sum(axis=0), 1) for h in halves]
    shared = float((means[0] * means[1]).mean())
    return float(np.sqrt(max(shared, 0.0)) + 0.02)


def _centred(values: Floats, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Values less their mean over the models that answered the row; 0 for the others."""
    filled = np.where(known, values, 0.0)
    means = filled.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, filled - means, 0.0)


def _non_negative(products: Floats, towards: Floats) -> Floats:
    """Two-variable non-negative least squares by trying each active set."""
    both: Floats = np.linalg.solve(products, towards).astype(np.float64)
    if (both >= 0).all():
        return both
    alone = np.maximum(towards / np.diag(products), 0.0)
    gains = towards * alone - 0.5 * np.diag(products) * alone**2
    best = int(np.argmax(gains))
    return np.where(np.arange(2) == best, alone, 0.0)
