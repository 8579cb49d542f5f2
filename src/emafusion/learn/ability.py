"""Abilities of models and difficulties of queries on one scale, whoever answered what.

The Rasch model P(right) = sigmoid(ability - difficulty), fitted by alternating Newton steps with
normal priors: abilities around 0, difficulties around the mean of their family. It makes models
comparable that never answered the same query, as long as others link them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.estimate.hybrid import sigmoid

ABILITY_SD, DIFFICULTY_SD = 1.5, 1.0
ROUNDS = 30


class Scale(NamedTuple):
    """Abilities float64[m] and difficulties float64[n], logits; `sd`: float64[m], of abilities."""

    ability: Floats
    difficulty: Floats
    sd: Floats


def fit_scale(score: Floats, families: Ints) -> Scale:
    """Fit abilities and difficulties.

    `score`: float64[n, m] in 0..1, NaN where not answered; `families`: int64[n].

    >>> found = fit_scale(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]]), np.zeros(3, np.int64))
    >>> bool(found.ability[0] > found.ability[1]), bool(found.difficulty[0] > found.difficulty[1])
    (True, True)
    """
    known = ~np.isnan(score)
    right = np.where(known, score, 0.0)
    ability, difficulty = np.zeros(score.shape[1]), np.zeros(score.shape[0])
    information = np.zeros(score.shape[1])
    for _ in range(ROUNDS):
        centre = _family_means(difficulty, families)
        gap, spread = _gaps(ability, difficulty, right=right, known=known)
        slope = -gap.sum(axis=1) - (difficulty - centre) / DIFFICULTY_SD**2
        difficulty = difficulty + slope / (spread.sum(axis=1) + 1 / DIFFICULTY_SD**2)
        gap, spread = _gaps(ability, difficulty, right=right, known=known)
        information = spread.sum(axis=0) + 1 / ABILITY_SD**2
        ability = ability + (gap.sum(axis=0) - ability / ABILITY_SD**2) / information
    return Scale(ability, difficulty, np.maximum(information**-0.5, 0.03))


def refit(score: Floats, predicted: Floats, start: Floats) -> Scale:
    """Fit abilities again, and the spread of predicted difficulties, which are less extreme.

    `predicted`: float64[n], difficulties predicted while held out; `start`: float64[m]. In the
    result `difficulty` is the prediction, stretched by what fits best (0.2 to 2).
    """
    known = ~np.isnan(score)
    right = np.where(known, score, 0.0)
    ability, stretch, centre = start.copy(), 1.0, float(predicted.mean())
    offset = predicted - centre
    information = np.ones(score.shape[1])
    for _ in range(ROUNDS):
        gap, spread = _gaps(ability, centre + stretch * offset, right=right, known=known)
        curve = float((spread.sum(axis=1) * offset**2).sum()) + 1.0
        moved = stretch - float((gap.sum(axis=1) * offset).sum()) / curve
        stretch = min(max(moved, 0.2), 2.0)
        gap, spread = _gaps(ability, centre + stretch * offset, right=right, known=known)
        information = spread.sum(axis=0) + 1 / ABILITY_SD**2
        ability = ability + (gap.sum(axis=0) - (ability - start) / ABILITY_SD**2) / information
    return Scale(ability, centre + stretch * offset, np.maximum(information**-0.5, 0.03))


def residuals(score: Floats, scale: Scale) -> Floats:
    """Score less what ability and difficulty explain: float64[n, m], NaN where not answered."""
    return score - sigmoid(scale.ability - scale.difficulty[:, None])


def _gaps(
    ability: Floats,
    difficulty: Floats,
    *,
    right: Floats,
    known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> tuple[Floats, Floats]:
    """Score less expectation, and the variance of the expectation; 0 where not answered."""
    expected = sigmoid(ability - difficulty[:, None])
    return np.where(known, right - expected, 0.0), np.where(known, expected * (1 - expected), 0.0)


def _family_means(values: Floats, families: Ints) -> Floats:
    """Mean of each row's family: float64[n]."""
    counts = np.maximum(np.bincount(families), 1)
    means = np.bincount(families, weights=values) / counts
    return means[families]
