"""Quality without labels: equal answers of many models, weighed by how often each is in agreement.

A two-coin model after Dawid and Skene (1979), with groups of equal answers as the observations: of
the groups at a query at most one is right; model m is right with probability r_m; two wrong answers
are equal with probability c. By expectation and maximisation,

    P(g right) ~ exp( e sum_(m in g) log(r_m / ((1 - r_m) c)) )   against 1 for "none is right"
    r_m = mean over queries of P(its group right)

Models share errors, so k votes count as `k / (1 + (k - 1) rho)`: e = 1 / (1 + (k - 1) rho).

It ranks models and answers well and says little of levels: of popular wrong answers it knows
nothing. So what it gives is *relative* quality; nothing may be promised from it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Floats, Ints

NOT_ASKED, UNREADABLE = -2, -1
"""In the groups: the model never answered this query; it did, but nothing could be read."""

COLLIDE, CORRELATION = 0.3, 0.1
"""Chance that two wrong answers are equal, and correlation of two models' errors; the figures hold
over pools of 10 to 48 models, and results hardly move with either."""

ROUNDS = 60
LOWEST, HIGHEST = 0.02, 0.98


class Agreed(NamedTuple):
    """What agreement says.

    `quality`: float64[n, m], probability that each answer is right, 0 where it could not be read,
    NaN where not asked; `ability`: float64[m], share of right answers. Relative, both.
    """

    quality: Floats
    ability: Floats


def agreed_quality(groups: Ints) -> Agreed:
    """Judge recorded answers by each other.

    Args:
        groups: int64[n, m], for each query the number (from 0) of the group of equal answers that
            each model's belongs to; UNREADABLE or NOT_ASKED otherwise.

    Needs at least three models: two that differ say nothing about who is right.

    >>> groups = np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0], [0, 1, 0]])
    >>> agreed_quality(groups).ability.round(1).tolist()
    [0.8, 0.7, 0.6]
    """
    asked, members = groups != NOT_ASKED, _members(groups)
    there = members.any(axis=1)
    votes = np.maximum(members.sum(axis=(1, 2)), 1)
    discount = 1 / (1 + (votes - 1) * CORRELATION)
    ability = np.full(groups.shape[1], 0.6)
    quality = np.zeros(groups.shape)
    for _ in range(ROUNDS):
        weights = np.log(ability / (1 - ability)) - np.log(COLLIDE)
        support = discount[:, None] * np.einsum("nmk,m->nk", members, weights)
        chance = _right(np.where(there, support, -np.inf))
        quality = np.einsum("nmk,nk->nm", members, chance)
        rates = ((quality * asked).sum(axis=0) + 2) / (asked.sum(axis=0) + 3)
        ability = np.clip(rates, LOWEST, HIGHEST)
    return Agreed(np.where(asked, quality, np.nan), ability)


def _members(groups: Ints) -> Floats:
    """float64[n, m, k]: 1 where a model's answer is in a group."""
    numbers = np.arange(max(int(groups.max(initial=0)) + 1, 1))
    members: Floats = (groups[:, :, None] == numbers).astype(np.float64)
    return members


def _right(support: Floats) -> Floats:
    """Probability of each group to be the right one, "none" being possible: float64[n, k]."""
    top = np.maximum(support.max(axis=1, keepdims=True), 0.0)
    odds = np.exp(support - top)
    chance: Floats = odds / (odds.sum(axis=1, keepdims=True) + np.exp(-top))
    return chance
