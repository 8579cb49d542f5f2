"""Weights of the views and the familiarity test, on made-up tables whose truth is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emafusion.domain.features import Floats
from emafusion.estimate.arrays import DEPTHS, DOMAINS, TASKS
from emafusion.estimate.familiarity import SKETCH, closeness, support_of
from emafusion.learn.anchors import fit_anchors, fit_curve
from emafusion.learn.blending import Choices, HeldOut, fit_weights

CELLS = TASKS * DEPTHS * DOMAINS


def drawn(seed: int, n: int = 3000, m: int = 4) -> tuple[Choices, Floats]:
    """Models of equal ability with true advantages that differ from query to query."""
    rng = np.random.default_rng(seed)
    advantage = rng.normal(0, 0.15, (n, m))
    score = (rng.random((n, m)) < 0.5 + advantage).astype(np.float64)
    cost = np.tile(np.linspace(0.001, 0.01, m), (n, 1))
    return Choices(score, np.full((n, m), 0.5), cost), advantage


@settings(max_examples=8)
@given(st.integers(0, 1000))
def test_a_view_that_tells_the_truth_outweighs_one_that_is_noise(seed: int) -> None:
    """Whichever of the two it is."""
    choices, truth = drawn(seed)
    noise = np.random.default_rng(seed + 1).normal(0, 0.15, truth.shape)
    first = fit_weights(choices, HeldOut(truth, noise)).weights
    second = fit_weights(choices, HeldOut(noise, truth)).weights
    assert first[0] > first[1]
    assert second[1] > second[0]


def test_views_that_mislead_get_little_weight() -> None:
    """A view that says the opposite of the truth is not followed."""
    choices, truth = drawn(3)
    weights = fit_weights(choices, HeldOut(-truth, -truth)).weights
    np.testing.assert_allclose(weights, 0.0, atol=0.05)


def test_unknown_costs_and_missing_answers_are_no_trouble() -> None:
    """Weights stay finite and non-negative where half of the table is empty."""
    choices, truth = drawn(5, n=400)
    holes = np.random.default_rng(0).random(truth.shape) < 0.5
    sparse = Choices(
        np.where(holes, np.nan, choices.score), choices.base, np.full(truth.shape, np.nan)
    )
    worth = fit_weights(sparse, HeldOut(truth, truth))
    assert np.all(np.isfinite(worth.weights))
    assert np.all(worth.weights >= 0)
    assert worth.spread > 0


def test_support_is_high_where_training_queries_were_and_low_elsewhere() -> None:
    """A class that was never seen is unfamiliar even if its words are not."""
    rng = np.random.default_rng(0)
    cells = np.zeros((200, CELLS), np.float32)
    cells[:, 0] = 1.0
    support = support_of(cells)
    sketches = rng.normal(size=(200, SKETCH))
    sketches /= np.linalg.norm(sketches, axis=1, keepdims=True)
    other = np.zeros((1, CELLS), np.float32)
    other[0, -1] = 1.0
    seen = closeness((fit_anchors(sketches), support), sketches[:1], cells[:1])
    unseen = closeness((fit_anchors(sketches), support), sketches[:1], other)
    assert seen[0, 1] == 1.0
    assert unseen[0, 1] == 0.0
    assert seen[0, 0] == unseen[0, 0]


def test_a_sign_of_closeness_that_points_the_wrong_way_is_dropped() -> None:
    """Being nearer never makes a query less familiar."""
    rng = np.random.default_rng(0)
    familiar = np.stack((rng.normal(2, 1, 300), rng.normal(0, 1, 300)), axis=1)
    novel = np.stack((rng.normal(0, 1, 300), rng.normal(1, 1, 300)), axis=1)
    curve = fit_curve(familiar, novel)
    assert curve[1] > 0
    assert curve[2] == 0
