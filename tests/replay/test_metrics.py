"""Metrics: against numbers worked out by hand, and what must always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.replay.metrics.bootstrap import bootstrap_means, interval, intervals
from emafusion.replay.metrics.calibration import brier, expected_error, reliability
from emafusion.replay.metrics.equal import Bounds, equal_bounds
from emafusion.replay.metrics.frontier import (
    area,
    at_cost,
    cost_of,
    gap_recovered,
    hull,
    mixed_at,
)
from emafusion.replay.metrics.means import mean_cost, quantile_known, shares
from emafusion.replay.metrics.wilson import wilson

COSTS, QUALITIES = np.array([1.0, 2.0, 4.0]), np.array([0.4, 0.8, 0.7])
POINTS = st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 1)), min_size=1, max_size=12)


def test_area_by_hand() -> None:
    """From 1 to 4: a ramp from .4 to .8, then level at .8, since the dearest is worse."""
    assert area(COSTS, QUALITIES, low_usd=1.0, high_usd=4.0) == pytest.approx((0.6 + 1.6) / 3)
    assert area(COSTS, QUALITIES, low_usd=1.0, high_usd=1.0) is None
    assert area(np.zeros(0), np.zeros(0), low_usd=0.0, high_usd=1.0) is None


def test_nothing_is_had_below_the_cheapest_nor_above_the_best() -> None:
    """Rather None than an extrapolation."""
    assert at_cost(COSTS, QUALITIES, 0.5) is None
    assert at_cost(COSTS, QUALITIES, 9.0) == 0.8
    assert cost_of(COSTS, QUALITIES, 0.9) is None
    assert cost_of(COSTS, QUALITIES, 0.1) == 1.0


@given(POINTS, st.floats(0.01, 10))
def test_more_money_never_buys_less(points: list[tuple[float, float]], budget: float) -> None:
    """Along the hull quality never falls, and it is never below a point of the same cost."""
    costs, qualities = np.array(points).T
    corners = hull(costs, qualities)
    assert (np.diff(corners[0]) > 0).all()
    assert (np.diff(corners[1]) > 0).all()
    less, more = at_cost(costs, qualities, budget), at_cost(costs, qualities, 2 * budget)
    assert less is None or (more is not None and more >= less)
    assert all((at_cost(costs, qualities, c) or 0) >= q - 1e-9 for c, q in points)


@given(POINTS, st.floats(0.01, 10))
def test_a_mix_of_neighbours_costs_the_budget(
    points: list[tuple[float, float]], budget: float
) -> None:
    """Between two settings; the dearest alone above it, nothing below the cheapest."""
    costs = np.array([cost for cost, _ in points])
    found = mixed_at(costs, budget)
    if found is None:
        assert budget < costs.min()
    else:
        low, high, share = found
        assert 0 <= share <= 1
        spent = (1 - share) * costs[low] + share * costs[high]
        assert spent == pytest.approx(min(budget, max(costs.max(), costs[low])), rel=1e-6)


def test_gap_recovered_by_hand() -> None:
    """Half way is a half; nothing to recover is None."""
    assert gap_recovered(0.75, weak=0.5, strong=1.0) == 0.5
    assert gap_recovered(0.75, weak=0.8, strong=0.8) is None


def test_bootstrap_is_paired_and_repeatable() -> None:
    """Two columns that differ by a constant differ by it in every draw."""
    values = np.random.default_rng(1).random((50, 1))
    means = bootstrap_means(np.hstack((values, values + 0.25)), draws=200, seed=3)
    assert np.allclose(means[:, 1] - means[:, 0], 0.25)
    assert np.array_equal(
        means, bootstrap_means(np.hstack((values, values + 0.25)), draws=200, seed=3)
    )


def test_an_interval_has_the_width_of_theory() -> None:
    """About four standard errors wide for 95 %."""
    values = np.repeat([0.0, 1.0], 500)
    found = interval(values, draws=2000)
    assert found is not None
    assert found.mean == 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(1000), rel=0.1)


def test_unknown_values_count_neither_way() -> None:
    """NaN is left out of means and intervals; a column of nothing has none."""
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [1.0, np.nan]])
    known, none = intervals(values)
    assert known is not None
    assert (known.mean, known.low, known.high) == (1.0, 1.0, 1.0)
    assert none is None
    assert interval(values[:, 1]) is None
    assert mean_cost(np.array([1.0, np.nan])) is None
    assert quantile_known(np.array([np.nan]), 0.5) is None


def test_calibration_by_hand() -> None:
    """Two bins: .25 with a half right, .75 with all right."""
    sure, right = np.array([0.25, 0.25, 0.75, 0.75]), np.array([0.0, 1.0, 1.0, 1.0])
    assert expected_error(sure, right) == pytest.approx(0.25)
    assert brier(sure, right) == pytest.approx((0.0625 + 0.5625 + 2 * 0.0625) / 4)
    assert [(b.count, b.accuracy) for b in reliability(sure, right)] == [(2, 0.5), (2, 1.0)]
    assert brier(np.array([np.nan]), np.array([1.0])) is None
    assert expected_error(np.array([0.5]), np.array([np.nan])) is None


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
def test_shares_are_one_in_all(names: list[str]) -> None:
    """Of whatever names."""
    found = shares(names)
    assert sum(found.values()) == pytest.approx(1.0)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_share_of_five_right_answers_is_not_sure() -> None:
    """Wilson's interval holds the mean, stays in 0..1 and narrows with more answers."""
    few, many = wilson(1.0, 5), wilson(1.0, 500)
    assert 0.5 < few.low < many.low < few.high == many.high == 1.0
    assert 0.0 == wilson(0.0, 5).low < wilson(0.0, 5).high


def test_equal_cost_is_open_where_the_dial_may_never_get_there() -> None:
    """In some draws the dial is below the model at any price: no upper bound then."""
    rng = np.random.default_rng(0)
    score, better = (rng.random(400) < 0.5).astype(float), (rng.random(400) < 0.7).astype(float)
    usd = np.ones((400, 1))
    open_above = equal_bounds((score[:, None], usd), (score[rng.permutation(400)], np.full(400, 4)))
    assert open_above.low == 0.25
    assert open_above.high is None
    assert equal_bounds((better[:, None], usd), (score, np.full(400, 4.0))) == Bounds(
        low=0.25, high=0.25
    )
