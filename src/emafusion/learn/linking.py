"""Putting models on one scale that never answered a query that others answered.

Models that share no query with the rest have abilities and difficulties only up to a shift. Such a
group is moved to where the stated prior expects its models by their size, its queries with it, so
that a small model on easy tasks does not pass for an able one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Ints
from emafusion.domain.model import Model
from emafusion.estimate.prior import PriorState, expect
from emafusion.learn.ability import Scale
from emafusion.learn.priors import size_of


def link(scale: Scale, answered: npt.NDArray[np.bool_], models: Sequence[str]) -> Scale:
    """Move groups of models that are not linked to the largest one.

    `answered`: bool[n, m]. A group in which no size is known stays where it is.

    >>> answered = np.array([[True, True, False], [False, False, True]])
    >>> loose = Scale(np.array([1.0, 0.5, 1.0]), np.zeros(2), np.ones(3))
    >>> linked = link(loose, answered, ["a", "b", "tiny-135m"])
    >>> linked.ability.round(2).tolist(), linked.difficulty.round(2).tolist()
    ([1.0, 0.5, -2.07], [0.0, -3.07])
    """
    groups = linked_groups(answered)
    main = int(np.bincount(groups, weights=answered.sum(axis=0)).argmax())
    ability, difficulty = scale.ability.copy(), scale.difficulty.copy()
    for group in np.unique(groups[groups != main]).tolist():
        members = groups == group
        shifts = [
            expect(PriorState.stated(), Model(name=models[i], provider="", size_b=size)).ability
            - ability[i]
            for i in np.flatnonzero(members).tolist()
            if (size := size_of(models[i])) is not None
        ]
        shift = float(np.mean(shifts)) if shifts else 0.0
        ability[members] += shift
        difficulty[answered[:, members].any(axis=1)] += shift
    return Scale(ability, difficulty, scale.sd)


def linked_groups(answered: npt.NDArray[np.bool_]) -> Ints:
    """Number of the group of each model, those linked by shared queries in one: int64[m]."""
    shared = answered.astype(np.float32)
    touching = (shared.T @ shared) > 0
    groups: Ints = np.arange(answered.shape[1], dtype=np.int64)
    for _ in range(answered.shape[1]):
        lowest: Ints = np.where(touching, groups, len(groups)).min(axis=1).astype(np.int64)
        groups = np.minimum(lowest, groups)
    return groups
