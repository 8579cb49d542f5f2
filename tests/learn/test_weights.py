"""Weights of the views and the familiarity test, on made-up tables whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emafusion.domain.features import Floats
from emafusion.learn.blending import Choices, fit_weights
from emafusion.learn.classing import KAPPA, classes_of, fit_values
from emafusion.learn.clusters import fit_curve
from emafusion.learn.costs import fit_costs

GRIDS = ((0.0, 0.25, 0.5, 0.75, 1.0, 1.25),) * 2


def drawn(seed: int, n: int = 3000, m: int = 4) -> tuple[Choices, Floats]:
    """Models of equal ability with true advantages that differ from query to query."""
    rng = np.random.default_rng(seed)
    advantage = rng.normal(0, 0.15, (n, m))
    score = (rng.random((n, m)) < 0.5 + advantage).astype(np.float64)
    cost = np.tile(np.linspace(0.001, 0.01, m), (n, 1))
    return Choices(score, np.full((n, m), 0.5), cost), advantage


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_a_view_that_tells_the_truth_outweighs_one_that_is_noise(seed: int) -> None:
    """Whichever of the two it is."""
    choices, truth = drawn(seed)
    noise = np.random.default_rng(seed + 1).normal(0, 0.15, truth.shape)
    first = fit_weights(choices, (truth, noise), GRIDS).weights
    second = fit_weights(choices, (noise, truth), GRIDS).weights
    assert first[0] > first[1]
    assert second[1] > second[0]


def test_views_that_mislead_get_little_weight() -> None:
    """A view that says the opposite of the truth is not followed."""
    choices, truth = drawn(3)
    weights = fit_weights(choices, (-truth, -truth), GRIDS).weights
    np.testing.assert_allclose(weights, 0.0, atol=0.05)


def test_unknown_costs_and_missing_answers_are_no_trouble() -> None:
    """Weights stay finite and non-negative where half of the table is empty."""
    choices, truth = drawn(5, n=400)
    holes = np.random.default_rng(0).random(truth.shape) < 0.5
    sparse = Choices(
        np.where(holes, np.nan, choices.score), choices.base, np.full(truth.shape, np.nan)
    )
    worth = fit_weights(sparse, (truth, truth), GRIDS)
    assert np.all(np.isfinite(worth.weights))
    assert np.all(worth.weights >= 0)
    assert worth.spread > 0


def test_speaking_louder_never_makes_a_query_less_familiar() -> None:
    """Where novel queries happen to speak louder, the curve is flat."""
    rng = np.random.default_rng(0)
    loud, faint = rng.normal(2, 1, 300), rng.normal(0, 1, 300)
    assert fit_curve(loud, faint)[1] > 0
    assert fit_curve(faint, loud)[1] == 0


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_certain_classes_give_shrunk_means(seed: int) -> None:
    """With certain classes a value is the sum of residuals over their count and ten more."""
    rng = np.random.default_rng(seed)
    member = rng.integers(0, 3, 60)
    residual = np.where(rng.random((60, 2)) < 0.3, np.nan, rng.normal(size=(60, 2)))
    values = fit_values(np.eye(3)[member], residual)
    for k in range(3):
        own = residual[member == k]
        expected = np.nansum(own, axis=0) / ((~np.isnan(own)).sum(axis=0) + KAPPA)
        np.testing.assert_allclose(values[k], expected, atol=1e-9)


def test_classes_are_data_sets_where_named_and_clusters_where_not() -> None:
    """One name for all rows tells nothing; too many names are no classes."""
    sketches = np.random.default_rng(0).normal(size=(400, 8))
    named = classes_of(("a", "b") * 200, sketches, "dataset")
    assert named.names == ("a", "b")
    one = classes_of(("a",) * 400, sketches, "dataset")
    many = classes_of(tuple(map(str, range(400))), sketches, "dataset")
    assert set(one.names) == set(many.names) == {""}
    assert 1 < len(one.names) <= 400 // 30


def test_expected_costs_sum_to_recorded_ones() -> None:
    """Whatever the noise, and unknown where nothing was recorded."""
    rng = np.random.default_rng(0)
    prompt, tokens = rng.uniform(50, 500, 300), rng.uniform(10, 900, (300, 2))
    cost = (1e-6 * prompt[:, None] + 4e-6 * tokens) * rng.lognormal(0, 0.5, (300, 2))
    cost[:, 1] = np.nan
    rates = fit_costs(cost, prompt, tokens)
    said = rates[0, 0] + rates[0, 1] * prompt + rates[0, 2] * tokens[:, 0]
    assert said.sum() == pytest.approx(cost[:, 0].sum())
    assert np.isnan(rates[1]).all()
