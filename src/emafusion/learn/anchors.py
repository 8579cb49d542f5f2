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


def fit_curve(familiar: Floats, novel: Floats) -> Floats:
    """Intercept and slopes (>= 0) of P(familiar | closeness), both kinds weighing the same.

    `familiar`, `novel`: float64[..., d], closeness of queries of known and of held-out families.
    Returns float64[1 + d]; a slope that comes out negative is dropped.

    >>> curve = fit_curve(np.array([[0.9], [0.8], [0.85]]), np.array([[0.2], [0.3], [0.25]]))
    >>> bool(sigmoid(curve @ np.array([1.0, 0.9])) > 0.8)
    True
    """
    used = list(range(familiar.shape[1]))
    found = np.zeros(1 + familiar.shape[1])
    while used:
        part = _logistic(familiar[:, used], novel[:, used])
        if (part[1:] >= 0).all():
            found[[0, *(1 + i for i in used)]] = part
            break
        used.pop(int(np.argmin(part[1:])))
    return found


def _logistic(familiar: Floats, novel: Floats) -> Floats:
    """Logistic regression by Newton steps: float64[1 + d]."""
    x = np.concatenate((familiar, novel))
    target = np.concatenate((np.ones(len(familiar)), np.zeros(len(novel))))
    weight = np.where(target > 0, 1 / max(len(familiar), 1), 1 / max(len(novel), 1))
    rows = np.vstack((np.ones(len(x)), x.T))
    found = np.zeros(len(rows))
    for _ in range(30):
        p = sigmoid(found @ rows)
        slope = rows @ (weight * (target - p)) - 1e-3 * found
        curve = (rows * (weight * p * (1 - p))) @ rows.T + 1e-3 * np.eye(len(rows))
        found = found + np.clip(np.linalg.solve(curve, slope), -5, 5)
    return found
