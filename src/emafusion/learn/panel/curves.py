"""Calibration curves: a judge's value -> log-odds that it adds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats
from emafusion.judge.curve import Curve

BOUND = 3.0
"""No single value of a soft judge adds more log-odds than this, either way."""


def rising(values: Floats, weights: Floats) -> Floats:
    """The non-falling sequence nearest to `values` by weighted squares (pool adjacent violators).

    >>> rising(np.array([1.0, 3.0, 2.0]), np.ones(3)).tolist()
    [1.0, 2.5, 2.5]
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, wa, na), (b, wb, nb) = blocks[-2:]
            blocks[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    return np.concatenate([np.full(n, value) for value, _, n in blocks])


def evidence_curve(value: Floats, right: Floats, knots: Floats, *, shrink: float = 20.0) -> Curve:
    """Log-odds at each knot over those of all answers together, from the answers nearest to it.

    `shrink`: pseudo-answers of the overall rate at each knot, so that rare values claim little.
    """
    rate = float(right.mean())
    nearest = np.abs(value[:, None] - knots[None, :]).argmin(axis=1)
    count = np.bincount(nearest, minlength=len(knots)).astype(np.float64)
    hits = np.bincount(nearest, weights=right, minlength=len(knots))
    chance = rising((hits + shrink * rate) / (count + shrink), count + shrink)
    odds = np.log(chance / (1.0 - chance)) - np.log(rate / (1.0 - rate))
    return curve_through(knots, odds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fine:
    """How finely a curve is drawn.

    `parts`: quantiles; `shrink`: pseudo-answers of the prior at each; `bound`: most log-odds.
    """

    parts: int = 8
    shrink: float = 30.0
    bound: float = BOUND


def offset_curve(
    value: Floats, base: Floats, right: Floats, *, prior: Curve, fine: Fine | None = None
) -> Curve:
    """Log-odds at each knot over what `base` (log-odds) says already of the answers nearest to it.

    `right`: 0..1. Knots at quantiles of `value`; each is drawn to the prior curve; the mean over
    all answers is 0, so that the curve tells answers apart and no level.
    """
    fine = fine or Fine()
    knots = np.unique(np.quantile(value, np.linspace(0.0, 1.0, fine.parts + 1)).round(4))
    nearest = np.abs(value[:, None] - knots[None, :]).argmin(axis=1)
    before = at(prior, knots)
    before -= before[nearest].mean()
    offsets = before.copy()
    for k in range(len(knots)):
        own = nearest == k
        if own.any():
            offsets[k] = _offset(base[own], right[own], before=float(before[k]), shrink=fine.shrink)
    count = np.bincount(nearest, minlength=len(knots)).astype(np.float64)
    held = rising(offsets, count + fine.shrink)
    return curve_through(knots, held - float(held[nearest].mean()), bound=fine.bound)


def _offset(base: Floats, right: Floats, *, before: float, shrink: float) -> float:
    """The shift of log-odds that fits best, by Newton steps; ridge of `shrink` x p (1 - p)."""
    shift = before
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(base + shift, -30.0, 30.0)))
        pull = shrink * float((chance * (1.0 - chance)).mean())
        slope = float((chance * (1.0 - chance)).sum()) + pull
        step = (float((right - chance).sum()) - pull * (shift - before)) / max(slope, 1e-9)
        shift += float(np.clip(step, -1.0, 1.0))
        if abs(step) < 1e-6:
            break
    return shift


def curve_through(x: Floats, y: Floats, *, bound: float = BOUND) -> Curve:
    """The curve through points, bounded and rounded; `y` must not fall."""
    bounded = np.clip(y, -bound, bound)
    return Curve(
        x=tuple(round(v, 6) for v in x.tolist()), y=tuple(round(v, 4) for v in bounded.tolist())
    )


def at(curve: Curve, value: Floats) -> Floats:
    """The curve at many values."""
    return np.asarray(np.interp(value, np.array(curve.x), np.array(curve.y)), dtype=np.float64)


def slope(
    right: Floats, base: Floats, evidence: Floats, *, prior: float = 1.0, ridge: float = 1.0
) -> float:
    """Weight w >= 0 of evidence in `logit P = shift + base + w evidence`, ridge to `prior`.

    1 where the evidence is calibrated, less where it claims too much.
    """
    design = np.stack([np.ones_like(base), evidence], axis=1)
    centre = np.array([0.0, prior])

    def loss(theta: Floats) -> float:
        odds = base + design @ theta
        penalty = 0.5 * ridge * float(((theta - centre) ** 2).sum())
        return float((np.logaddexp(0.0, odds) - right * odds).sum()) + penalty

    theta: Floats = centre
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(base + design @ theta, -30, 30)))
        gradient = design.T @ (chance - right) + ridge * (theta - centre)
        spread = chance * (1.0 - chance)
        step = np.linalg.solve(design.T @ (design * spread[:, None]) + ridge * np.eye(2), gradient)
        while loss(theta - step) > loss(theta) and np.abs(step).max() > 1e-9:
            step = np.asarray(step / 2.0, dtype=np.float64)
        theta = np.asarray(theta - step, dtype=np.float64)
        if np.abs(step).max() < 1e-8:
            break
    return max(0.0, float(theta[1]))
