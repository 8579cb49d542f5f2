"""A model asked again, as one more candidate."""

from __future__ import annotations

from dataclasses import replace as with_fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.errors import Overloaded
from emafusion.domain.evidence import CallStep, Evidence, GatherStep, Situation, StopStep
from emafusion.domain.model import Objective
from emafusion.policy.dial import fit_dial
from emafusion.policy.fusion import FusionPolicy
from emafusion.policy.gain import GainPolicy
from emafusion.policy.gathering import panel_of, together
from emafusion.policy.options import options
from emafusion.policy.samples import SamplesPolicy, own_name, widened
from emafusion.policy.spread import make_spread
from emafusion.testing import check_policy, failed, said, situation

DIAL = fit_dial(np.array([[0.5, 0.7, 0.9]]), np.array([[0.001, 0.004, 0.01]]))
GAIN = GainPolicy(dial=DIAL, spread=make_spread(60.0, 60.0), max_looks=4)
POLICY = SamplesPolicy(inner=GAIN, most=3)
BEST = Objective(quality_weight=1.0)


def short(
    quality: dict[str, float], *answers: tuple[str, str], repeatable: bool = True
) -> Situation:
    """A query for a short answer, after these answers of (model, text)."""
    texts = [text for _, text in answers]
    evidence = Evidence(
        attempts=tuple(said(text, by=name) for name, text in answers),
        confidences=tuple(0.5 for _ in answers),
        groups=tuple(texts.index(text) for text in texts),
    )
    made = situation(quality, evidence=evidence, objective=BEST)
    form = np.zeros(8)
    form[4] = 1.0
    labels = structs.replace(made.features.labels, format=form)
    seen = structs.replace(made.features, labels=labels)
    return structs.replace(made, features=seen, repeatable=repeatable)


def test_the_only_model_is_asked_again() -> None:
    """Two answers that differ inform, a third decides; then it is enough."""
    one = {"a": 0.6}
    assert POLICY.plan(short(one)).step == CallStep(candidate="a")
    assert POLICY.plan(short(one, ("a", "41"))).step == CallStep(candidate="a")
    third = POLICY.plan(short(one, ("a", "41"), ("a", "42"))).step
    assert isinstance(third, CallStep)
    assert third.candidate == "a"
    enough = POLICY.plan(short(one, ("a", "41"), ("a", "42"), ("a", "42")))
    assert isinstance(enough.step, StopStep)


def test_where_nothing_is_left_to_chance_nobody_is_asked_twice() -> None:
    """Temperature 0 or a seed would give the same once more."""
    plan = POLICY.plan(short({"a": 0.6}, ("a", "41"), repeatable=False))
    assert isinstance(plan.step, StopStep)


def test_a_much_better_model_is_asked_again_before_a_weak_one() -> None:
    """Where the others are far behind, another sample of the best is the better opinion."""
    plan = POLICY.plan(short({"best": 0.7, "weak": 0.2}, ("best", "41")))
    assert plan.step == CallStep(candidate="best")


def test_fusion_may_ask_one_model_several_times() -> None:
    """Samples of the best where nobody comes near it; other models where they do."""
    fusion = SamplesPolicy(inner=FusionPolicy(inner=GAIN, dial=DIAL, count=3), most=3)
    far = fusion.plan(short({"best": 0.7, "weak": 0.2})).step
    assert far == GatherStep(candidates=("best", "best", "best"))
    near = fusion.plan(short({"best": 0.7, "next": 0.68})).step
    assert near == GatherStep(candidates=("best", "next", "best"))


def test_programs_are_never_asked_twice() -> None:
    """An exact specialist gives the same answer again."""
    here = short({"a": 0.6, "calculator": 0.6})
    a, program = here.candidates
    exact = with_fields(program, model=with_fields(program.model, kind="program"))
    wide = widened(structs.replace(here, candidates=(a, exact)), 3)
    assert wide.estimates.candidates == ("a", "a#2", "a#3", "calculator")


def test_a_model_that_fails_is_not_asked_again() -> None:
    """Its other entries are gone with it, until it has answered after all."""
    here = short({"a": 0.6, "b": 0.5})
    down = Evidence(
        attempts=(failed(Overloaded("busy"), by="a"),), confidences=(None,), groups=(-1,)
    )
    assert widened(structs.replace(here, evidence=down), 2).estimates.candidates == (
        "a", "b", "b#2",
    )  # fmt: skip
    up = Evidence(
        attempts=(failed(Overloaded("busy"), by="a"), said("1", by="a")),
        confidences=(None, 0.5),
        groups=(-1, 0),
    )
    after = widened(structs.replace(here, evidence=up), 2).evidence.attempts
    assert [attempt.candidate for attempt in after] == ["a", "a"]


def test_it_is_a_policy() -> None:
    """What every policy holds."""
    check_policy(POLICY)


@given(
    most=st.integers(1, 4),
    answers=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=5),
)
def test_only_names_of_the_pool_come_out(most: int, answers: list[tuple[str, str]]) -> None:
    """Whatever was answered, a plan names models; the evidence stays as long as it was."""
    here = short({"a": 0.6, "b": 0.5}, *answers)
    wide = widened(here, most)
    assert len(wide.estimates.quality) == len(wide.candidates) == 2 * most
    assert [own_name(a.candidate) for a in wide.evidence.attempts] == [name for name, _ in answers]
    step = SamplesPolicy(inner=GAIN, most=most).plan(here).step
    assert not isinstance(step, CallStep) or step.candidate in {"a", "b"}


@given(
    quality=st.lists(st.floats(0.05, 0.95), min_size=1, max_size=5),
    paid=st.floats(0.0, 0.4),
    count=st.integers(2, 4),
)
def test_whom_to_ask_at_once_is_worth_it(quality: list[float], paid: float, count: int) -> None:
    """No more than asked for, each once, and beyond two nobody who costs more than he adds."""
    here = short({f"m{k}": q for k, q in enumerate(quality)})
    left = options(here, paid / 0.001)
    chosen = panel_of(structs.replace(here, repeatable=False), left, count)
    assert len(chosen) <= count
    assert len(set(chosen)) == len(chosen)
    whole = together(here, left, chosen)
    assert max(left.quality[k] for k in chosen) - 1e-12 <= whole <= 1.0
    for k in range(len(chosen)):
        rest = chosen[:k] + chosen[k + 1 :]
        assert together(here, left, rest) <= whole + 1e-12
    if len(chosen) > 2:
        assert whole - together(here, left, chosen[:-1]) > left.paid[chosen[-1]]
