"""The modes: agreement, threshold, paper, induction; and what the price of a switch changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.errors import DeadlinePassed
from emafusion.domain.evidence import CallStep, Evidence, Judgement, Plan, Situation, StopStep
from emafusion.domain.features import Features
from emafusion.domain.model import Objective
from emafusion.domain.ports import Policy
from emafusion.policy.agreement import AgreementPolicy
from emafusion.policy.dial import fit_dial
from emafusion.policy.gain import GainPolicy
from emafusion.policy.gathering import coverage
from emafusion.policy.induction import InductionPolicy
from emafusion.policy.more import Groups, one_more
from emafusion.policy.paper import PaperPolicy
from emafusion.policy.plain import nets, seats
from emafusion.policy.spread import make_spread
from emafusion.policy.threshold import ThresholdPolicy
from emafusion.policy.tree import Tree
from emafusion.policy.vote import Vote
from emafusion.testing import check_policy, failed, said, situation

DIAL = fit_dial(np.array([[0.5, 0.7, 0.9]]), np.array([[0.001, 0.004, 0.01]]))
GAIN = GainPolicy(dial=DIAL, spread=make_spread(60.0, 6.0))
COSTS = {"a": 0.0005, "b": 0.0006, "strong": 0.01}
QUALITY = {"a": 0.8, "b": 0.8, "strong": 0.9}
EVERY: dict[str, Policy] = {
    "agreement": AgreementPolicy(dial=DIAL),
    "threshold": ThresholdPolicy(chain=("a", "b", "c")),
    "paper": PaperPolicy(),
    "induction": InductionPolicy(gain=GAIN),
}
chance = st.floats(0.01, 0.99)


@pytest.mark.parametrize("mode", list(EVERY))
def test_every_mode_is_a_policy(mode: str) -> None:
    """Pure, names only what is there, comes to an end whatever fails."""
    check_policy(EVERY[mode])


@pytest.mark.parametrize("mode", list(EVERY))
def test_every_mode_ends_with_the_deadline(mode: str) -> None:
    """When there is no time left nobody is called; what is held is given."""
    names = {"a": 0.5, "b": 0.6, "c": 0.7}
    late = Evidence(
        attempts=(said("42", by="a"), failed(DeadlinePassed("late"), by="b")),
        confidences=(0.2, None),
        groups=(0, -1),
    )
    plan = EVERY[mode].plan(situation(names, evidence=late))
    assert plan.step == StopStep(attempt=0)


WORTH = Objective(answer_value_usd=0.2)


def asked(*answers: str, objective: Objective = WORTH) -> Situation:
    """After these answers of a, b, strong: equal texts are one group."""
    groups = tuple(answers.index(answer) for answer in answers)
    evidence = Evidence(
        attempts=tuple(said(t, by=name) for t, name in zip(answers, QUALITY, strict=False)),
        confidences=tuple(0.5 for _ in answers),
        groups=groups,
    )
    made = situation(QUALITY, COSTS, evidence=evidence, objective=objective)
    return structs.replace(made, features=_short(made))


def _short(made: Situation) -> Features:
    """Features of a query for a short answer, which others can equal."""
    labels = made.features.labels
    form = np.zeros(8)
    form[4] = 1.0
    return structs.replace(made.features, labels=structs.replace(labels, format=form))


def called(plan: Plan) -> str:
    """Whom a plan calls."""
    assert isinstance(plan.step, CallStep)
    return plan.step.candidate


def test_two_cheap_ones_that_agree_are_believed() -> None:
    """The strong one is asked only where they differ, and then its word counts."""
    policy = EVERY["agreement"]
    assert called(policy.plan(asked())) == "a"
    assert called(policy.plan(asked("1"))) == "b"
    assert policy.plan(asked("1", "1")).step == StopStep(attempt=0)
    assert called(policy.plan(asked("1", "2"))) == "strong"
    assert policy.plan(asked("1", "2", "2")).step == StopStep(attempt=1)
    assert policy.plan(asked("1", "2", "3")).step == StopStep(attempt=2)


def test_where_cost_does_not_count_the_strong_one_is_asked_alone() -> None:
    """Agreement saves money, and nothing else is claimed for it."""
    plan = EVERY["agreement"].plan(asked(objective=Objective(quality_weight=1.0)))
    assert plan.step == CallStep(candidate="strong", live=True)


def test_prose_is_not_asked_for_agreement() -> None:
    """Answers that cannot be compared cannot agree: one call, streamed."""
    plan = EVERY["agreement"].plan(situation(QUALITY, COSTS))
    assert isinstance(plan.step, CallStep)
    assert plan.step.live


def test_the_threshold_is_the_dial() -> None:
    """The first answer that is as sure as the dial wants is given."""
    policy = ThresholdPolicy(chain=("a", "b", "strong"))
    sure = asked("1", objective=Objective(quality_weight=0.4))
    assert policy.plan(sure).step == StopStep(attempt=0)
    assert called(policy.plan(asked("1", objective=Objective(quality_weight=0.6)))) == "b"


def test_the_paper_asks_those_that_are_proven_cheapest_first() -> None:
    """On a familiar query whoever comes near the best; on others the best three."""
    policy = PaperPolicy(most=2)
    here = situation({"a": 0.2, "b": 0.7, "strong": 0.9}, COSTS)
    proven = structs.replace(here, estimates=structs.replace(here.estimates, route="taxonomy"))
    assert policy.chosen(here) == ("b", "strong")
    strict = structs.replace(proven, objective=Objective(quality_weight=0.9))
    assert policy.chosen(strict) == ("strong",)
    assert policy.chosen(structs.replace(proven, objective=Objective(quality_weight=0.0))) == (
        "a", "b", "strong",
    )  # fmt: skip


@given(first=chance, quality=st.lists(chance, min_size=2, max_size=3), paid=st.floats(0, 0.3))
def test_the_tree_agrees_with_the_rule_that_looks_two_ahead(
    first: float, quality: list[float], paid: float
) -> None:
    """With one answer held and two that may follow both are the same sum."""
    vote = Vote()
    then = seats(quality, [paid] * len(quality), vote)
    tree, places = Tree(seats=then, vote=vote), tuple(range(len(quality)))
    gains = nets(first, then, looks=3, comparable=1.0)
    for k in places:
        worth = tree.after(k, (first,), 1.0 - first, left=places, looks=2)
        if worth > first + 1e-9 or gains[k] > 1e-9:
            assert worth - first == pytest.approx(gains[k], abs=1e-9)


@given(
    weights=st.lists(chance, min_size=1, max_size=3),
    quality=st.lists(chance, min_size=1, max_size=3),
    looks=st.integers(0, 3),
)
def test_looking_further_is_never_worth_less(
    weights: list[float], quality: list[float], looks: int
) -> None:
    """More looks, or a further candidate, can only add; one look is the one-step rule."""
    vote = Vote()
    whole = sum(weights) + 0.1
    groups = tuple(sorted((w / whole for w in weights), reverse=True))
    none = 1.0 - sum(groups)
    tree = Tree(seats=seats(quality, [0.01] * len(quality), vote), vote=vote)
    places = tuple(range(len(quality)))
    value = tree.value(groups, none, places, looks=looks)
    assert max(groups) - 1e-12 <= value <= 1.0 + 1e-12
    assert tree.value(groups, none, places, looks=looks + 1) >= value - 1e-12
    assert tree.value(groups, none, places[:-1], looks=looks) <= value + 1e-12
    held = Groups(best=groups[0], chances=groups, none=none)
    best = max(gain - 0.01 for gain in one_more(held, quality, vote))
    assume(best > 1e-9)
    assert tree.value(groups, none, places, looks=1) == pytest.approx(groups[0] + best)


@given(st.lists(chance, min_size=1, max_size=6), chance)
def test_coverage_grows_with_every_answer(chances: list[float], one: float) -> None:
    """Never less than the best, never more than one, and more with another."""
    found = coverage(chances)
    assert max(chances) - 1e-12 <= found <= 1.0
    assert coverage([*chances, one]) >= found


def test_induction_reads_before_it_goes_on() -> None:
    """Held answers are judged first, as under the gain rule."""
    here = asked("1")
    judged = structs.replace(
        here.evidence, judgements=(Judgement(judge="rules", attempt=0, value=1.0),)
    )
    plan = EVERY["induction"].plan(structs.replace(here, evidence=judged))
    assert called(plan) in {"b", "strong"}
