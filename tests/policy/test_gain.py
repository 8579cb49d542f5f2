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
from emafusion.policy.more import groups_in, one_more
from emafusion.policy.reading import Reader, unasked
from emafusion.policy.single import SinglePolicy
from emafusion.policy.spread import make_spread
from emafusion.policy.vote import Vote
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
    """Reading an answer moves belief, but not on average, and never out of 0..1."""
    low, *high = make_spread(k).points(quality, 0)
    assert (low + (high[0] if high else low)) / 2 == pytest.approx(quality)
    assert low > 0.0
    assert (high or [low])[0] < 1.0


@given(
    st.lists(st.tuples(unit, st.floats(1e-5, 0.02)), min_size=1, max_size=9),
    st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    st.integers(1, 4),
    st.sampled_from(["logprob", "rules"]),
)
def test_many_first_plans_are_those_of_each(
    pool: list[tuple[float, float]], weight: float, looks: int, reads: str
) -> None:
    """A replay plans all queries at once, a gateway one by one: the same plans."""
    judges = (JudgeCard(name=reads, kind=reads),)
    part, told = policy(max_looks=looks), Objective(quality_weight=weight)
    turned = [pool[i:] + pool[:i] for i in range(len(pool))]
    many = [
        situation(
            {f"m{i}": q for i, (q, _) in enumerate(each)},
            {f"m{i}": c for i, (_, c) in enumerate(each)},
            judges=judges,
            objective=told,
        )
        for each in turned
    ]
    for plan, here in zip(part.first_plans(many), many, strict=True):
        alone = part.plan(here)
        assert plan.step == alone.step
        assert plan.quality == pytest.approx(alone.quality)
        if plan.likely == alone.likely:  # of equal second looks either may be foreseen
            assert plan.cost_usd == pytest.approx(alone.cost_usd)


def test_limits_are_planned_alone() -> None:
    """A query with a limit of its own is planned like any other among many."""
    free, tight = (
        situation({"small": 0.5, "big": 0.9}, COSTS, objective=Objective(max_cost_usd=usd))
        for usd in (None, 0.002)
    )
    plans = policy().first_plans([free, tight])
    assert [plan.step for plan in plans] == [policy().plan(each).step for each in (free, tight)]
    assert plans[1].step == CallStep(candidate="small", live=True)


def test_best_answers_begin_with_the_better_model() -> None:
    """Where cost does not count, equal plans do not begin with the weaker one."""
    quality = {"weak": 0.6, "strong": 0.9, "middle": 0.8}
    here = situation(quality, objective=Objective(quality_weight=1.0))
    step = policy(spread=make_spread(60.0, 6.0)).plan(here).step
    assert isinstance(step, CallStep)
    assert step.candidate == "strong"


def test_a_second_call_must_be_sure_to_end_in_time() -> None:
    """Mean latency is not enough: with an answer in hand nothing is put at risk."""
    timed = Objective(quality_weight=1.0, max_latency_s=1.9)
    quality = {"small": 0.5, "big": 0.95}
    first = policy().plan(situation(quality, COSTS, objective=timed))
    assert first.likely == ()
    after = policy().plan(situation(quality, COSTS, evidence=held(0.3), objective=timed))
    assert after.step == StopStep(attempt=0)


def test_what_the_client_has_seen_is_the_answer() -> None:
    """Whatever the judges say of it afterwards."""
    evidence = held(0.05)
    streamed = structs.replace(evidence.attempts[0], sent_live=True)
    seen = structs.replace(evidence, attempts=(streamed,))
    best = Objective(quality_weight=1.0)
    here = situation({"small": 0.5, "big": 0.9}, COSTS, evidence=seen, objective=best)
    assert policy().plan(here).step == StopStep(attempt=0)


def groups(*told: tuple[int, float]) -> Evidence:
    """Answers by m0, m1, ..: their group and how far each is believed."""
    return Evidence(
        attempts=tuple(said("x", by=f"m{i}") for i in range(len(told))),
        confidences=tuple(confidence for _, confidence in told),
        groups=tuple(group for group, _ in told),
    )


QUALITY = {f"m{i}": 0.7 for i in range(5)}


def test_two_that_agree_are_enough_and_two_that_differ_are_not() -> None:
    """A third answer decides between rivals; it changes nothing about a pair that agrees."""
    best = Objective(quality_weight=1.0)
    agreed = situation(QUALITY, evidence=groups((0, 0.9), (0, 0.9)), objective=best)
    differ = situation(QUALITY, evidence=groups((0, 0.45), (1, 0.4)), objective=best)
    assert policy().plan(agreed).step == StopStep(attempt=0)
    assert isinstance(policy().plan(differ).step, CallStep)


def test_an_answer_that_nothing_can_join_is_only_replaced() -> None:
    """Unreadable and not believed: somebody else is asked, as if for the first time."""
    best = Objective(quality_weight=1.0)
    mute = situation(QUALITY, evidence=groups((-2, 0.1)), objective=best)
    good = situation(QUALITY, evidence=groups((-2, 0.75)), objective=best)
    assert isinstance(policy().plan(mute).step, CallStep)
    assert policy(carry=0.0).plan(good).step == StopStep(attempt=0)


@given(st.lists(st.tuples(st.integers(-3, 2), unit), min_size=1, max_size=4), unit, unit)
def test_a_gain_is_never_negative_and_never_more_than_what_is_missing(
    told: list[tuple[int, float]], quality: float, share: float
) -> None:
    """Whatever is in hand; news of it does not change its mean."""
    held_groups = groups_in(groups(*told))
    gain = one_more(held_groups, [quality], Vote())[0]
    assert -1e-12 <= gain <= 1.0 - held_groups.best + 1e-9
    reader = Reader(sensitivity=share, specificity=0.9)
    verdicts = reader.verdicts(held_groups.best)
    assert sum(chance for chance, _ in verdicts) == pytest.approx(1.0)
    if len(held_groups.chances) <= 1 and 0.01 < held_groups.best < 0.99:
        mean = sum(chance * held_groups.told(factor).best for chance, factor in verdicts)
        assert mean == pytest.approx(held_groups.best, abs=1e-6)


def test_a_streamed_answer_is_held_where_a_judge_would_read_it() -> None:
    """What is let through nobody can take back: held only where a verdict may change something."""
    sure = policy(spread=make_spread(1e9, 1e9))
    here = situation(
        {"small": 0.6, "big": 0.85},
        COSTS,
        judges=(LLM,),
        objective=Objective(answer_value_usd=1 / 32),
    )
    assert sure.plan(here).step == CallStep(candidate="small", live=True), "nobody streams"
    waited = structs.replace(here, streamed=True)
    plan = sure.plan(waited)
    assert plan.step == CallStep(candidate="small", live=False)
    assert plan.likely == (JudgeStep(judges=("reader",), attempt=0),)
    assert plan.reason.endswith("but reader may change that")
    dear = structs.replace(LLM, cost_usd=1.0)
    own = structs.replace(LLM, kin=frozenset({"small"}))
    for judges in ((), (dear,), (own,)):
        step = sure.plan(structs.replace(waited, judges=judges)).step
        assert step == CallStep(candidate="small", live=True)


def test_two_answers_are_compared_once_and_by_a_stranger_to_both() -> None:
    """Where there is another answer, of nobody's own family, and not the other way round again."""
    pair = JudgeCard(name="llm:pair:r", kind="llm", cost_usd=1e-6, pairs=True)
    both = Evidence(
        attempts=(said("one way", by="small"), said("another", by="big")),
        confidences=(0.62, 0.6),
        groups=(-2, -3),
    )
    here = situation({"small": 0.6, "big": 0.6}, COSTS, evidence=both, judges=(pair,))
    assert unasked(here, 0) == (pair,)
    alone = structs.replace(here, evidence=held(0.62))
    again = Judgement(judge=pair.name, attempt=1, value=0.5)
    done = structs.replace(here, evidence=structs.replace(both, judgements=(again,)))
    own = structs.replace(here, judges=(structs.replace(pair, kin=frozenset({"big"})),))
    for case in (alone, done, own):
        assert unasked(case, 0) == ()
