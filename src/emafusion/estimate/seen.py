"""What the state sees in queries, whoever the candidates are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Features, Floats
from emafusion.estimate.arrays import small_vectors
from emafusion.estimate.classes import class_shares, known_places, strength_of
from emafusion.estimate.familiarity import familiarity_of
from emafusion.estimate.linear import FIRST_DIRECTION, apply_heads
from emafusion.estimate.state import RouterState
from emafusion.estimate.trees import evaluate, inputs_of


class Seen(NamedTuple):
    """n queries.

    `levels`: float64[n, 2], difficulty and log-length; `directions`: float64[n, r], what the
    learned view says, to be met with loadings; `habits`:
    float64[n, l], directions of length; `shares`: float64[n, K], probability of each learned class;
    `tasks`: float64[n, 16]; `familiarity`: float64[n]; `told`: rows whose class came with them.
    """

    levels: Floats
    directions: Floats
    habits: Floats
    shares: Floats
    tasks: Floats
    familiarity: Floats
    told: tuple[int, ...]


def see(state: RouterState, features: Sequence[Features]) -> Seen:
    """Look at queries; one that names a known class is of it, and familiar."""
    heads = apply_heads(state.heads, features)
    given = [each.dataset for each in features]
    edges = (FIRST_DIRECTION, state.heads.first_length, heads.shape[1] - state.classes.columns)
    levels, directions, habits, own = np.split(heads, edges, axis=1)
    familiarity = familiarity_of(state.familiarity, strength_of(state.classes, own))
    told = tuple(i for i, _ in known_places(state.classes, given))
    familiarity[list(told)] = 1.0
    shares = class_shares(state.classes, own, given)
    if state.trees.count:
        turned = directions @ state.trees.turn
        asked = inputs_of(small_vectors(features), levels, turned, shares=shares)
        directions = evaluate(state.trees, asked)
    return Seen(
        levels=levels,
        directions=directions,
        habits=habits,
        shares=shares,
        tasks=np.array([each.labels.task for each in features]),
        familiarity=familiarity,
        told=told,
    )
