"""Promises that hold for any data: tests, the labels they take, and the audit while serving."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.replay.guarantee.audit import Audit
from emafusion.replay.guarantee.betting import Wealth, p_value
from emafusion.replay.guarantee.binomial import at_least, at_most
from emafusion.replay.guarantee.feasible import abstention_needed, labels_needed
from emafusion.replay.guarantee.powered import powered_mean
from emafusion.replay.guarantee.sequence import (
    last_passing,
    not_worse,
    share_kept,
    wrong_at_most,
)

shares = st.floats(0.01, 0.99)


@given(st.integers(0, 60), st.integers(0, 60), shares)
def test_both_tails_together_count_everything_once(k: int, n: int, p: float) -> None:
    """P(X <= k) + P(X >= k + 1) = 1."""
    assert at_most(k, n, p) + at_least(k + 1, n, p) == pytest.approx(1.0)


@given(st.lists(st.floats(-1.0, 1.0), max_size=40))
def test_no_values_can_ruin_the_gambler(values: list[float]) -> None:
    """Wealth stays positive, and a p-value is a probability."""
    state = Wealth(low=-1.0)
    for value in values:
        state = state.see(value)
        assert state.wealth > 0.0
    assert 0.0 <= p_value(values, low=-1.0) <= 1.0


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5])
def test_a_mean_of_zero_is_refuted_no_more_often_than_promised(rate: float) -> None:
    """At most 5 % of 1,000 drawn series of mean zero reach a p-value of .05, whenever looked at."""
    rng = np.random.default_rng(7)
    drawn = rng.random((1000, 200)) < rate
    refuted = sum(p_value((row - rate).tolist(), low=-rate) <= 0.05 for row in drawn)
    assert refuted / 1000 <= 0.05 + 2 * (0.05 * 0.95 / 1000) ** 0.5


def test_a_certificate_breaks_its_promise_no_more_often_than_promised() -> None:
    """The setting kept along a dial of falling quality is a bad one in at most delta of draws."""
    rng = np.random.default_rng(11)
    quality = np.array([0.80, 0.79, 0.78, 0.765, 0.755, 0.74])  # the promise is 0.95 x 0.80 = 0.76
    broken = 0
    for draw in range(400):
        reference = (rng.random(500) < 0.80).astype(float)
        p_values = [
            share_kept((rng.random(500) < q).astype(float), reference, 0.95, seed=draw)
            for q in quality
        ]
        kept = last_passing(p_values, 0.1)
        broken += kept is not None and quality[kept] < 0.76
    assert broken / 400 <= 0.1 + 2 * (0.1 * 0.9 / 400) ** 0.5


def test_enough_labels_do_certify() -> None:
    """A system as good as its reference passes at 95 % of it with some thousand labels."""
    rng = np.random.default_rng(3)
    right = (rng.random(3000) < 0.8).astype(float)
    assert share_kept(right, right, 0.95) <= 0.05


def test_the_labels_needed_are_those_of_the_exact_test() -> None:
    """With that many labels the test passes, with one fewer it does not."""
    for limit, delta, rate in ((0.05, 0.1, 0.0), (0.1, 0.1, 0.05), (0.05, 0.05, 0.025)):
        needed = labels_needed(limit, delta, rate)
        assert needed is not None
        assert at_most(int(needed * rate), needed, limit) <= delta
        assert at_most(int((needed - 1) * rate), needed - 1, limit) > delta


def test_the_known_numbers_of_labels() -> None:
    """Zero errors: 45, 22, 59; at half of the limit: 132, 65, 208."""
    settings = ((0.05, 0.1), (0.1, 0.1), (0.05, 0.05))
    assert [labels_needed(a, d) for a, d in settings] == [45, 22, 59]
    assert [labels_needed(a, d, a / 2) for a, d in settings] == [132, 65, 208]


def test_a_promise_below_the_true_rate_needs_more_than_labels() -> None:
    """No number of labels helps, and the share that must be left out is told."""
    assert labels_needed(0.05, 0.1, 0.06) is None
    assert abstention_needed(0.04, 0.05) == 0.0
    assert abstention_needed(1.0, 0.05) == 1.0


def test_exact_tests_refuse_what_they_are_not_exact_for() -> None:
    """Graded scores and scores out of range are errors, not approximations."""
    with pytest.raises(ValueError, match="0 or 1"):
        wrong_at_most(np.array([0.5]), 0.1)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        share_kept(np.array([1.5]), np.array([1.0]), 0.9)
    assert not_worse(np.array([1.0]), np.array([1.0])) == 1.0


def test_an_audit_alarms_on_a_broken_promise_and_seldom_on_a_kept_one() -> None:
    """Losses of twice the limit are found within some hundreds; kept promises hardly ever."""
    rng = np.random.default_rng(5)

    def alarmed(rate: float, answers: int) -> bool:
        audit = Audit.start(0.05, 0.05)
        for loss in rng.random(answers) < rate:
            audit = audit.see(float(loss))
        return audit.alarmed

    assert sum(alarmed(0.05, 400) for _ in range(300)) / 300 <= 0.05 + 0.026
    assert all(alarmed(0.15, 1000) for _ in range(20))


@pytest.mark.parametrize("strength", [0.0, 0.6])
def test_few_labels_and_many_verdicts_make_an_honest_interval(strength: float) -> None:
    """The 95 % interval holds the truth in about 95 % of draws; good judges make it narrower."""
    rng = np.random.default_rng(2)
    held, widths, plain = 0, [], []
    for draw in range(400):
        truth = (rng.random(1050) < 0.7).astype(float)
        verdicts = strength * truth + (1 - strength) * rng.random(1050)
        found = powered_mean(truth[:50], verdicts[:50], verdicts[50:], seed=draw)
        assert found is not None
        held += found.low <= 0.7 <= found.high
        widths.append(found.high - found.low)
        plain.append(2 * 2.01 * truth[:50].std(ddof=1) / 50**0.5)
    assert held / 400 >= 0.95 - 3 * (0.95 * 0.05 / 400) ** 0.5
    assert np.mean(widths) < (0.75 if strength else 1.1) * np.mean(plain)


def test_three_labels_are_no_interval() -> None:
    """Below four labels nothing is claimed."""
    assert powered_mean(np.ones(3), np.ones(3), np.ones(9)) is None
