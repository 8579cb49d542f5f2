"""The dial: equal steps of quality, and the questions it answers the other way round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import BadInput
from emafusion.domain.model import Objective
from emafusion.policy.dial import Dial, fit_dial

weights = st.floats(0.0, 1.0)


def dial(seed: int = 0) -> Dial:
    """Of three models on forty queries: dearer ones are better, more so on hard queries."""
    rng = np.random.default_rng(seed)
    hard = rng.random((40, 1))
    quality = np.clip(np.array([[0.9, 0.95, 0.97]]) - hard * np.array([[0.7, 0.4, 0.2]]), 0.0, 1.0)
    return fit_dial(quality, np.array([[0.0001, 0.001, 0.01]]) * (1.0 + rng.random((40, 3))))


@given(weights, st.integers(0, 3))
def test_equal_steps_are_equal_steps_of_quality(weight: float, seed: int) -> None:
    """A tenth of the way is a tenth of the quality between both ends, whatever the prices."""
    part = dial(seed)
    low, high = part.at(0.0).quality, part.at(1.0).quality
    assert part.at(weight).quality == pytest.approx(low + weight * (high - low), abs=1e-9)
    assert part.at(weight).quality_weight == pytest.approx(weight, abs=1e-6)


@given(weights, weights)
def test_more_weight_never_costs_less(one: float, other: float) -> None:
    """Quality, cost and the price of quality all go one way."""
    low, high = (dial().at(weight) for weight in sorted((one, other)))
    assert low.quality <= high.quality + 1e-12
    assert low.cost_usd <= high.cost_usd + 1e-12


def test_ends() -> None:
    """From the cheapest model to the best, whatever it costs."""
    part = dial()
    assert part.at(0.0).cost_usd < 0.0002
    assert part.at(1.0).cost_usd > 0.01
    assert part.quality_per_usd(Objective(quality_weight=1.0)) == 0.0


def test_the_cheap_end_is_acceptable() -> None:
    """Nobody is sent to a model a hair cheaper that sells far less quality for a dollar."""
    quality, cost = np.array([[0.1, 0.6, 0.7]]), np.array([[0.0009, 0.001, 0.02]])
    part = fit_dial(np.repeat(quality, 40, axis=0), np.repeat(cost, 40, axis=0))
    assert part.at(0.0).quality == pytest.approx(0.6)
    assert part.at(0.0).cost_usd == pytest.approx(0.001)
    assert part.at(1.0).quality == pytest.approx(0.7)


def test_nearly_equal_prices() -> None:
    """There is still something to turn where all cost almost the same, or one costs nothing."""
    near = fit_dial(np.array([[0.3, 0.5]]), np.array([[0.001, 0.001001]]))
    free = fit_dial(np.array([[0.3, 0.5]]), np.array([[0.0, 0.001]]))
    for part in (near, free):
        assert part.at(0.0).quality == pytest.approx(0.3)
        assert part.at(1.0).quality == pytest.approx(0.5)


def test_a_share_of_a_reference() -> None:
    """The cheapest setting that reaches it; what cannot be reached is told with what can."""
    part = dial()
    best = part.at(1.0)
    found = part.for_quality_share(0.95, reference=best.quality)
    assert found.quality == pytest.approx(0.95 * best.quality)
    assert found.cost_usd < 0.9 * best.cost_usd
    assert found.quality_se > 0.0
    with pytest.raises(BadInput, match=r"at most 100.0% can"):
        part.for_quality_share(1.2, reference=best.quality)


def test_a_price_that_is_kept() -> None:
    """The best setting within it; less than the cheapest is told plainly."""
    found = dial().for_usd_per_query(0.003)
    assert 0.001 < found.cost_usd <= 0.003
    with pytest.raises(BadInput, match="the cheapest setting takes"):
        dial().for_usd_per_query(0.00001)


def test_what_an_answer_is_worth() -> None:
    """Dearer answers turn the dial up; worthless ones are refused."""
    cheap, dear = (dial().for_answer_value(usd) for usd in (0.001, 1.0))
    assert cheap.quality_weight < dear.quality_weight
    with pytest.raises(BadInput, match="more than 0"):
        dial().for_answer_value(0.0)


def test_a_pool_of_one() -> None:
    """There is nothing to turn, and nothing breaks."""
    part = fit_dial(np.array([[0.5]]), np.array([[0.001]]))
    assert part.at(0.3).quality == part.at(1.0).quality == 0.5
    assert part.for_quality_share(1.0, reference=0.5).cost_usd == pytest.approx(0.001)
