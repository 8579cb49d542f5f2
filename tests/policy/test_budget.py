"""The spending target: days end on it, whatever the traffic, as far as the dial reaches."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emafusion.policy.budget import Day, Pace, paced

DAY_S, STEP_S = 86_400.0, 60.0


def cost_usd(weight: float) -> float:
    """Mean cost of a query at a place of the dial: some fifty times as much at the other end."""
    return 0.0002 * math.exp(4.0 * weight)


def flat(_at_s: float) -> float:
    """Queries a second, always the same."""
    return 0.05


def wave(at_s: float) -> float:
    """Queries a second of people who sleep at night."""
    return 0.05 * (1.0 + 0.9 * math.sin(2.0 * math.pi * (at_s - 28_800.0) / DAY_S))


def day_of(budget_usd: float, load: Callable[[float], float], seed: int) -> tuple[float, Pace]:
    """Live through a day; what it spent, and where the dial stood at the end."""
    rng, spent = random.Random(seed), 0.0
    pace = Pace(weight=0.5, at_s=0.0, spent_usd=0.0)
    day = Day(ends_s=DAY_S, budget_usd=budget_usd)
    for minute in range(int(DAY_S / STEP_S)):
        mean = load(minute * STEP_S) * STEP_S
        count = max(0.0, rng.gauss(mean, math.sqrt(mean)))
        spent += count * cost_usd(pace.weight)
        pace = paced(pace, spent_usd=spent, now_s=(minute + 1) * STEP_S, day=day)
    return spent, pace


LEAST_USD, MOST_USD = 4320 * cost_usd(0.0), 4320 * cost_usd(1.0)


@pytest.mark.parametrize("load", [flat, wave])
@pytest.mark.parametrize("times", [1.5, 4.0, 12.0])
def test_a_day_ends_on_its_budget(load: Callable[[float], float], times: float) -> None:
    """Within a few per cent, where the dial reaches so far."""
    budget_usd = times * LEAST_USD
    spent, _ = day_of(budget_usd, load, seed=7)
    assert spent == pytest.approx(budget_usd, rel=0.06)


def test_what_cannot_be_reached_is_as_near_as_can_be() -> None:
    """The best answers where there is money for all of them, the cheapest where there is none."""
    spent, pace = day_of(3.0 * MOST_USD, flat, seed=7)
    assert pace.weight == 1.0
    assert spent < 1.1 * MOST_USD
    spent, pace = day_of(0.3 * LEAST_USD, flat, seed=7)
    assert pace.weight == 0.0
    assert spent < 1.2 * LEAST_USD


@settings(deadline=None)
@given(
    weight=st.floats(0.0, 1.0),
    before=st.floats(0.0, 1e3),
    spent=st.floats(0.0, 1e3),
    lasted=st.floats(0.0, 1e5),
    budget=st.floats(1e-6, 1e6),
    rate=st.none() | st.floats(0.0, 1e3),
)
def test_the_dial_stays_on_its_scale(
    weight: float, before: float, spent: float, lasted: float, budget: float, rate: float | None
) -> None:
    """Whatever happened; the same facts turn it the same way, and spending more never up."""
    pace = Pace(weight=weight, at_s=100.0, spent_usd=before, usd_per_s=rate)
    day = Day(ends_s=DAY_S, budget_usd=budget)
    found = paced(pace, spent_usd=spent, now_s=100.0 + lasted, day=day)
    assert 0.0 <= found.weight <= 1.0
    assert found == paced(pace, spent_usd=spent, now_s=100.0 + lasted, day=day)
    if spent >= before and found.weight not in {weight, 0.0, 1.0}:
        more = paced(pace, spent_usd=spent + 1.0, now_s=100.0 + lasted, day=day)
        assert more.weight <= found.weight + 1e-12


def test_without_traffic_nothing_is_turned() -> None:
    """And a new day begins where the last one ended."""
    day = Day(ends_s=DAY_S, budget_usd=1.0)
    pace = Pace(weight=0.7, at_s=0.0, spent_usd=0.0)
    assert paced(pace, spent_usd=0.0, now_s=600.0, day=day).weight == 0.7
    full = Pace(weight=0.3, at_s=0.0, spent_usd=5.0, usd_per_s=0.0)
    assert 0.25 < paced(full, spent_usd=0.001, now_s=60.0, day=day).weight < 0.35
