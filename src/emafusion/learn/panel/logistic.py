"""Logistic regression with non-negative weights, drawn to a prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats

BIAS_RIDGE = 0.5
"""How strongly the bias is held: it is what a new task changes first."""
FREE = 1e-3
_ROUNDS, _HALVINGS = 100, 14


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """What a fit is drawn to.

    `weights`: float64[k]; `ridge`: float64[k], how strongly each is held, in labels; `bias`: None
    for the overall rate; `bias_ridge`: how strongly it is held where it is given.
    """

    weights: Floats
    ridge: Floats
    bias: float | None = None
    bias_ridge: float = BIAS_RIDGE

    @property
    def held(self) -> Floats:
        """float64[1 + k]: how strongly bias and weights are held."""
        return np.concatenate([[FREE if self.bias is None else self.bias_ridge], self.ridge])

    @property
    def centre(self) -> Floats:
        """float64[1 + k]: bias and weights that they are drawn to."""
        return np.concatenate([[self.bias or 0.0], self.weights])


def non_negative(
    design: Floats,
    right: Floats,
    *,
    prior: Prior,
    base: Floats | None = None,
    weight: Floats | None = None,
) -> Floats:
    """float64[1 + k]: bias and weights >= 0 of `logit P = base + bias + design @ weights`.

    `design`: float64[N, k]; `right`: float64[N] in 0..1; `base`: float64[N], log-odds known
    beforehand; `weight`: float64[N]. Newton's method on the free weights, each step held to what
    does not make it worse.

    >>> x, right = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 1.0, 0.0, 0.0])
    >>> prior = Prior(weights=np.array([1.0]), ridge=np.array([0.1]))
    >>> non_negative(x, right, prior=prior)[1].item()
    0.0
    """
    base = np.zeros(len(right)) if base is None else base
    weight = np.ones(len(right)) if weight is None else weight
    columns = np.concatenate([np.ones((len(right), 1)), design], axis=1)
    held, centre = prior.held, prior.centre

    def loss(theta: Floats) -> float:
        odds = base + columns @ theta
        penalty = 0.5 * float((held * (theta - centre) ** 2).sum())
        return float((weight * (np.logaddexp(0.0, odds) - right * odds)).sum()) + penalty

    theta: Floats = centre.copy()
    now = loss(theta)
    for _ in range(_ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(base + columns @ theta, -30.0, 30.0)))
        gradient = columns.T @ (weight * (chance - right)) + held * (theta - centre)
        spread = weight * chance * (1.0 - chance)
        curvature = (columns * spread[:, None]).T @ columns + np.diag(held)
        free = np.concatenate([[True], (theta[1:] > 0.0) | (gradient[1:] < 0.0)])
        step = np.zeros(len(theta))
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        trials = (_moved(theta, step * 0.5**halving) for halving in range(_HALVINGS))
        better: tuple[Floats, float] | None = next(
            ((t, found) for t in trials if (found := loss(t)) < now), None
        )
        if better is None:
            break
        (theta, least), before = better, now
        now = least
        if before - now < 1e-9 * (1.0 + abs(before)):
            break
    return theta


def log_evidence(theta: Floats, design: Floats, right: Floats, *, prior: Prior) -> float:
    """How well a prior foretold these labels, by Laplace's formula around the fit `theta`."""
    columns = np.concatenate([np.ones((len(right), 1)), design], axis=1)
    odds = columns @ theta
    chance = 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))
    told = (columns * (chance * (1.0 - chance))[:, None]).T @ columns
    fit = float((np.logaddexp(0.0, odds) - right * odds).sum())
    fit += 0.5 * float((prior.held * (theta - prior.centre) ** 2).sum())
    width = np.linalg.slogdet(told + np.diag(prior.held)).logabsdet - np.log(prior.held).sum()
    return -fit - 0.5 * float(width)


def _moved(theta: Floats, step: Floats) -> Floats:
    """A step down; no weight below 0."""
    moved = theta - step
    moved[1:] = np.maximum(moved[1:], 0.0)
    return moved
