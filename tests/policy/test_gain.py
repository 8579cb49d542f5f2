"""What the gain policy does, and what it can never do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.evidence import (
    CallStep,
    Evidence,
    JudgeCard,
    Judgement,
    JudgeStep,
    StopStep,
)
from emafusion.domain.model import Objective
from emafusion.policy.dial import Dial, fit_dial, known_costs
from emafusion.policy.explore import ExplorePolicy
from emafusion.policy.gain import GainPolicy
from emafusion.policy.single import SinglePolicy
from emafusion.policy.spread import make_spread
from emafusion.testing import check_policy, said, situation

COSTS = {"small": 0.001, "big": 0.01}
LLM = JudgeCard(name="reader", kind="llm", cost_usd=0.0005)
unit = st.floats(0.01, 0.99)


def policy(**changes: object) -> GainPolicy:
    """A gain policy on a dial of one to ten thousandths of a dollar."""
    dial = fit_dial(np.array([[0.5, 0.7, 0.9]]), np.array([[0.001, 0.004, 0.01]]))
    return replace(GainPolicy(dial=dial, spread=make_spread(2.0, 2.0)), **changes)  # type: ignore[arg-type]


def held(confidence: float, *, by: str = "small", judged: bool = True) -> Evidence:
    """One answer in hand, believed this far."""
    read = (Judgement(judge="honest", attempt=0, value=confidence),) if judged else ()
    return Evidence(
        attempts=(said("x", by=by),), judgements=read, confidences=(confidence,), groups=(0,)
    )


@pytest.mark.parametrize(
    "part", [policy(), policy(max_looks=1), ExplorePolicy(inner=policy(), epsilon=0.2)]
)
def test_contract(part: GainPolicy | ExplorePolicy) -> None:
    """Every policy holds the contract of policies."""
    check_policy(part)


def test_single_contract() -> None:
    """The baseline is a policy like any other."""
    check_policy(SinglePolicy(candidate="b"))


@given(st.lists(unit, min_size=2, max_size=6), unit)
def test_higher_weight_never_expects_less(qualities: list[float], weight: float) -> None:
    """A higher quality_weight never lowers the quality that the first step expects."""
    names = {f"m{i}": q for i, q in enumerate(qualities)}
    costs = {f"m{i}": 0.001 * (i + 1) for i in range(len(qualities))}
    router = policy(max_looks=1)
    low = router.plan(situation(names, costs, objective=Objective(quality_weight=weight / 2)))
    high = router.plan(situation(names, costs, objective=Objective(quality_weight=weight)))
    assert low.quality is not None
    assert high.quality is not None
    assert high.quality >= low.quality - 0.005 - 1e-9


@given(unit, unit, unit)
def test_stops_sooner_with_more_confidence(q: float, low: float, high: float) -> None:
    """If an answer is good enough at some confidence, it is at every higher one."""
    low, high = sorted((low, high))
    chosen = [
        policy(carry=0.0).plan(situation({"small": 0.5, "big": q}, COSTS, evidence=held(r))).step
        for r in (low, high)
    ]
    if isinstance(chosen[0], StopStep):
        assert isinstance(chosen[1], StopStep)


@given(st.permutations(["a", "b", "c", "d"]))
def test_order_of_candidates_does_not_matter(order: list[str]) -> None:
    """The same candidates in another order give the same step."""
    quality = {"a": 0.5, "b": 0.6, "c": 0.7, "d": 0.8}
    costs = {"a": 0.001, "b": 0.002, "c": 0.004, "d": 0.008}
    plan = policy().plan(situation({name: quality[name] for name in order}, costs))
    assert plan.step == policy().plan(situation(quality, costs)).step


def test_unread_answer_is_read_first() -> None:
    """Free judges read an answer before anything else is decided."""
    free = JudgeCard(name="honest", kind="rules")
    here = situation({"small": 0.5}, COSTS, evidence=held(0.5, judged=False), judges=(free,))
    assert policy().plan(here).step == JudgeStep(judges=("honest",), attempt=0)


def test_paid_judge_is_asked_only_where_it_can_change_the_decision() -> None:
    """Near the border a paid judge is worth its price; far from it, it is not."""
    quality = {"small": 0.6, "big": 0.9}
    worth = Objective(answer_value_usd=1 / 32)
    near = situation(quality, COSTS, evidence=held(0.6), judges=(LLM,), objective=worth)
    far = situation(quality, COSTS, evidence=held(0.99), judges=(LLM,), objective=worth)
    assert policy().plan(near).step == JudgeStep(judges=("reader",), attempt=0)
    assert policy().plan(far).step == StopStep(attempt=0)


def test_unpriced_judge_is_never_asked() -> None:
    """A judge of unknown price is not taken for a free one."""
    card = structs.replace(LLM, cost_usd=None)
    here = situation({"small": 0.6, "big": 0.9}, COSTS, evidence=held(0.8), judges=(card,))
    assert not isinstance(policy().plan(here).step, JudgeStep)


def test_unknown_price_counts_as_the_dearest() -> None:
    """A candidate of unknown price is not chosen for being cheap."""
    quality = {"known": 0.80, "dear": 0.80, "unknown": 0.81}
    here = situation(quality, {"known": 0.001, "dear": 0.01, "unknown": np.nan})
    step = policy(max_looks=1).plan(here).step
    assert step == CallStep(candidate="known", live=True)
    assert known_costs(np.array([np.nan, np.nan])).tolist() == [0.0, 0.0]


def test_no_time_left_means_no_call() -> None:
    """A candidate that would take longer than is left is not called."""
    here = situation({"small": 0.5}, COSTS, objective=Objective(max_latency_s=0.5))
    assert policy().plan(here).step == StopStep(attempt=None)


def test_propensities_of_exploration_are_exact() -> None:
    """Over many queries each candidate is drawn as often as its propensity says."""
    explore = ExplorePolicy(inner=policy(max_looks=1), epsilon=0.3, slack=1.0, dearest=1e9)
    here = situation({"a": 0.5, "b": 0.5, "c": 0.5}, {"a": 0.001, "b": 0.002, "c": 0.003})
    plans = [explore.plan(structs.replace(here, query_id=str(i))) for i in range(4000)]
    share: dict[str, float] = {}
    told: dict[str, float] = {}
    for plan in plans:
        assert isinstance(plan.step, CallStep)
        share[plan.step.candidate] = share.get(plan.step.candidate, 0.0) + 1 / len(plans)
        told[plan.step.candidate] = plan.propensity
    assert sum(told.values()) == pytest.approx(1.0)
    assert all(abs(share[name] - told[name]) < 0.03 for name in told)


@given(st.lists(st.tuples(unit, st.floats(1e-6, 1.0)), min_size=2, max_size=5), unit, unit)
def test_dial_is_monotone(pool: list[tuple[float, float]], one: float, other: float) -> None:
    """Turning the dial up never asks for more quality per dollar, so never cheaper answers."""
    dial: Dial = fit_dial(np.array([[q for q, _ in pool]]), np.array([[c for _, c in pool]]))
    low, high = sorted((one, other))
    lambdas = [dial.quality_per_usd(Objective(quality_weight=w)) for w in (low, high, 1.0)]
    assert lambdas == sorted(lambdas, reverse=True)
    assert lambdas[-1] == 0.0


def test_stated_value_of_an_answer_decides() -> None:
    """An answer worth two cents: a dollar must buy fifty of them."""
    assert policy().dial.quality_per_usd(Objective(answer_value_usd=0.02)) == pytest.approx(50.0)


@given(unit, st.floats(0.5, 50.0))
def test_spread_keeps_the_mean(quality: float, k: float) -> None:
    """Reading an answer moves belief, but not on average (up to the grid)."""
    spread = make_spread(k)
    mean = float((spread.row(np.array([quality]), [0])[0] * spread.bins).sum())
    assert abs(mean - quality) <= 0.036


@given(unit, unit)
def test_better_of_two_is_not_worse_than_either(r: float, q: float) -> None:
    """Two answers and a judge are worth at least the better of them."""
    best = make_spread(2.0).best(r, q, 0)
    assert best >= max(r, q) - 1e-9
    assert best <= 1.0


@given(unit, st.floats(0.0, 0.05))
def test_hopeless_second_answer_gains_nothing(r: float, q: float) -> None:
    """An answer that will surely be wrong adds nothing to one in hand, wherever the grid lies."""
    assert make_spread(60.0).best(max(r, 0.1), q, 0) <= max(r, 0.1) + 0.01
