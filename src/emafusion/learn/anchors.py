"""Anchors of the familiarity test, and its logistic curve."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.estimate.hybrid import sigmoid

ANCHORS, ROUNDS = 160, 8


def fit_anchors(sketches: Floats, *, seed: int = 0) -> Floats:
    """Centres of sketches by spherical k-means: float64[k, 64], of norm 1."""
    return cluster(sketches, ANCHORS, seed=seed)[0]


def cluster(sketches: Floats, k: int, *, seed: int = 0) -> tuple[Floats, Ints]:
    """Spherical k-means: centres float64[k, d] and the cluster of each row, int64[n]."""
    rng = np.random.default_rng(seed)
    k = min(k, len(sketches))
    centres = sketches[rng.choice(len(sketches), k, replace=False)].copy()
    member = np.zeros(len(sketches), np.int64)
    for _ in range(ROUNDS):
        member = (sketches @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, member, sketches)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norms > 1e-9, sums / np.maximum(norms, 1e-9), centres)
    return centres, member.astype(np.int64)


def fit_curve(familiar: Floats, novel: Floats) -> tuple[float, float]:
    """Intercept and slope (>= 0) of P(familiar | similarity), both kinds weighing the same.

    `familiar`, `novel`: float64[...], similarities of queries of known and of held-out families.

    >>> intercept, slope = fit_curve(np.array([0.9, 0.8, 0.85]), np.array([0.2, 0.3, 0.25]))
    >>> bool(sigmoid(np.float64(intercept + slope * 0.9)) > 0.8)
    True
    """
    x = np.concatenate((familiar, novel))
    target = np.concatenate((np.ones(len(familiar)), np.zeros(len(novel))))
    weight = np.where(target > 0, 1 / max(len(familiar), 1), 1 / max(len(novel), 1))
    rows = np.stack((np.ones(len(x)), x))
    found = np.zeros(2)
    for _ in range(30):
        p = sigmoid(found @ rows)
        slope = rows @ (weight * (target - p)) - 1e-3 * found
        curve = (rows * (weight * p * (1 - p))) @ rows.T + 1e-3 * np.eye(2)
        found = found + np.clip(np.linalg.solve(curve, slope), -5, 5)
    if found[1] < 0:
        return 0.0, 0.0
    return float(found[0]), float(found[1])
