"""Clusters of queries where a table names no kinds of work, and the curve of familiarity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats, Ints
from emafusion.estimate.arrays import BUCKETS
from emafusion.estimate.hybrid import sigmoid
from emafusion.learn.gram import Rows

ROUNDS = 8
SKETCH = 64
"""Length of a sketch: random sums of a query's words, which keep cosines roughly."""

ODDS = 9.0
"""Queries of known families that are expected for each of a new one."""

_GAMMA, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


def sketches_of(rows: Rows) -> Floats:
    """Sketch of each query: float64[n, 64], of norm 1 (zeros without words)."""
    signs = _signs()
    sums = np.zeros((len(rows.words), SKETCH))
    for i, (indices, values) in enumerate(rows.words):
        sums[i] = values @ signs[indices]
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    sketches: Floats = sums / np.maximum(norms, 1e-12)
    return sketches


def cluster(sketches: Floats, k: int, *, seed: int = 0) -> Ints:
    """Cluster of each row by spherical k-means, at most k: int64[n]."""
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
    return member.astype(np.int64)


def fit_curve(familiar: Floats, novel: Floats) -> Floats:
    """Intercept and slope (>= 0) of P(familiar | strength), familiar queries being the rule.

    `familiar`, `novel`: float64[n], strength of queries of known and of held-out families; NaN is
    left out. Returns float64[2].

    >>> curve = fit_curve(np.array([0.9, 0.8, 0.85]), np.array([0.2, 0.3, 0.25]))
    >>> bool(sigmoid(curve @ np.array([1.0, 0.9])) > 0.8)
    True
    """
    familiar, novel = familiar[np.isfinite(familiar)], novel[np.isfinite(novel)]
    x = np.concatenate((familiar, novel))
    target = np.concatenate((np.ones(len(familiar)), np.zeros(len(novel))))
    weight = np.where(target > 0, 1 / max(len(familiar), 1), 1 / max(len(novel), 1))
    rows = np.vstack((np.ones(len(x)), x))
    found = np.zeros(2)
    for _ in range(30):
        p = sigmoid(found @ rows)
        slope = rows @ (weight * (target - p)) - 1e-3 * found
        bend = (rows * (weight * p * (1 - p))) @ rows.T + 1e-3 * np.eye(2)
        found = found + np.clip(np.linalg.solve(bend, slope), -5, 5)
    curve: Floats = (found if found[1] >= 0 else np.zeros(2)) + np.array([np.log(ODDS), 0.0])
    return curve


def _signs() -> npt.NDArray[np.float32]:
    """Random signs of every bucket, the same everywhere: float32[BUCKETS, 64]."""
    bits = (np.arange(1, BUCKETS + 1, dtype=np.uint64)) * _GAMMA
    for shift in (30, 27, 31):
        bits = (bits ^ (bits >> np.uint64(shift))) * _MIX
    unpacked = np.unpackbits(bits.astype("<u8").view(np.uint8).reshape(BUCKETS, 8), axis=1)
    return 2 * unpacked.astype(np.float32) - 1
