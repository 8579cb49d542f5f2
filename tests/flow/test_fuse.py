"""Fusion, as conversations: several at once, a vote, the best of them, one written of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Flow, call
from emafusion.domain.errors import DeadlinePassed, Overloaded
from emafusion.domain.evidence import Case, Fused, GatherStep, JudgeCard, Judgement, StopStep
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer
from emafusion.domain.query import Query, ask
from emafusion.flow.fuse import is_preferred
from emafusion.flow.fusing import Fusing
from emafusion.flow.parts import Parts, Task
from emafusion.flow.route import forecast, route
from emafusion.policy.dial import fit_dial
from emafusion.policy.fusion import FusionPolicy
from emafusion.policy.gain import GainPolicy
from emafusion.policy.spread import make_spread
from emafusion.testing import Script, calls, candidate, check_policy, failed, races, said

MakeParts = Callable[..., Parts]
SMALL, MIDDLE, BIG = (
    candidate("small"),
    candidate("middle", usd_per_mtok=2.0),
    candidate("big", usd_per_mtok=10.0),
)
QUALITY = {"small": 0.6, "middle": 0.65, "big": 0.7}
DIAL = fit_dial(np.array([[0.5, 0.7, 0.9]]), np.array([[0.001, 0.004, 0.01]]))
TOOK_S = (("big", 1.0), ("middle", 2.0), ("small", 5.0))
JUDGED = JudgeCard(name="llm:reader", kind="llm", cost_usd=0.0001)


class Writer:
    """Asks for one answer, with the others after the question."""

    def question(self, query: Query, answers: tuple[Attempt, ...], /) -> Query:
        """Put them all in one line."""
        texts = [a.reply.text for a in answers if a.reply is not None]
        return ask(f"{query.prompt} {' | '.join(sorted(texts))}")


class Comparer:
    """Asks `reader` once; a reply of a number is the preference for the rival."""

    def compare(self, case: Case, rival: Attempt, /) -> Flow[tuple[Judgement, ...]]:
        """Read the number."""
        assert rival.reply is not None
        command = Call(candidate=SMALL, query=ask("which?"), purpose="judge", subject="merge")
        attempt = yield from call(command)
        value = None if attempt.reply is None else float(attempt.reply.text)
        told = Judgement(
            judge="llm:reader", attempt=case.attempt, value=value, cost_usd=attempt.cost_usd
        )
        return (told, told)


def apart(_query: Query, attempts: tuple[Attempt, ...]) -> tuple[int, ...]:
    """Prose: nobody's answer equals another's."""
    return tuple(-2 - i if a.reply else -1 for i, a in enumerate(attempts))


class Voting:
    """Confidence: half for one alone, more for each that says the same."""

    def confidences(self, _qualities: Sequence[float], case: Case, /) -> tuple[float | None, ...]:
        """Count the group."""
        groups = case.evidence.groups
        return tuple(
            None if group == -1 else 1.0 - 0.5 ** max(groups.count(group), 1) for group in groups
        )


def fusing(parts: Parts, *, count: int = 3, is_free: bool = True, looks: int = 3) -> Parts:
    """The same parts, with fusion on request."""
    gain = GainPolicy(dial=DIAL, spread=make_spread(60.0, 60.0), max_looks=looks)
    policy = FusionPolicy(inner=gain, dial=DIAL, count=count, votes=True, is_free=is_free)
    writing = Fusing(writer=Writer(), comparer=Comparer())
    return replace(parts, judges={}, panel=Voting(), fusion=policy, fusing=writing)


def task(**changes: object) -> Task:
    """A question that fusion was asked for."""
    best = Objective(quality_weight=1.0)
    pool = (SMALL, MIDDLE, BIG)
    made = Task(query=ask("What is 7 times 6?"), candidates=pool, objective=best, is_fused=True)
    return structs.replace(made, **changes)


def spent(answer: Answer) -> float:
    """What every call took, added up by hand."""
    evidence = answer.evidence
    parts = [a.cost_usd or 0.0 for a in (*evidence.attempts, *evidence.labelled)]
    parts += [j.cost_usd or 0.0 for j in evidence.judgements]
    if evidence.merge is not None:
        parts += [evidence.merge.attempt.cost_usd or 0.0]
        parts += [j.cost_usd or 0.0 for j in evidence.merge.compared]
    return sum(parts)


def test_equal_answers_outvote_a_better_model(make_parts: MakeParts) -> None:
    """Three at once; two agree: theirs is given, and it is no one model's."""
    with Script(route(task(), fusing(make_parts(QUALITY)))) as script:
        script << races("big", "middle", "small")
        script >> (said("41", by="big"), said("42", by="middle"), said("42", by="small"))
    answer = script.value
    assert answer.reply is not None
    assert (answer.reply.text, answer.reply.model) == ("42", "emafusion/fusion")
    assert (answer.candidate, answer.attempt) == (None, None)
    assert answer.fused == Fused(way="vote", attempts=(1, 2))
    assert answer.confidence == pytest.approx(0.75)
    assert answer.evidence.cost_usd == pytest.approx(spent(answer)) == pytest.approx(0.003)


def test_calls_side_by_side_take_as_long_as_the_slowest(make_parts: MakeParts) -> None:
    """Time is counted once, money for each."""
    with Script(route(task(), fusing(make_parts(QUALITY)))) as script:
        script << races("big", "middle", "small")
        script >> tuple(said("42", by=n, latency_s=s) for n, s in TOOK_S)
    assert script.value.evidence.latency_s == pytest.approx(5.0)


def test_where_all_differ_the_best_of_them_is_given(make_parts: MakeParts) -> None:
    """No two agree: one model's answer is given, under its name."""
    with Script(route(task(), fusing(make_parts(QUALITY)))) as script:
        script << races("big", "middle", "small")
        script >> (said("41", by="big"), said("42", by="middle"), said("43", by="small"))
    assert script.value.candidate == "big"
    assert script.value.fused is None


def test_who_fails_is_left_out(make_parts: MakeParts) -> None:
    """One of three fails: the others vote; all fail: a single call is tried, then told."""
    parts = fusing(make_parts(QUALITY))
    with Script(route(task(), parts)) as script:
        script << races("big", "middle", "small")
        script >> (
            failed(Overloaded("busy"), by="big"),
            said("42", by="middle"),
            said("42", by="small"),
        )
    assert script.value.fused == Fused(way="vote", attempts=(1, 2))
    with Script(route(task(), parts)) as script:
        script << races("big", "middle", "small")
        script >> tuple(
            failed(DeadlinePassed("late"), by=name) for name in ("big", "middle", "small")
        )
    assert isinstance(script.value.failure, DeadlinePassed)


def test_prose_is_written_anew_and_kept_if_preferred(make_parts: MakeParts) -> None:
    """Answers that cannot be compared become one, which is given if it is preferred."""
    parts = replace(fusing(make_parts(QUALITY)), group=apart)
    with Script(route(task(), parts)) as script:
        script << races("big", "middle", "small")
        script >> (said("a", by="big"), said("b", by="middle"), said("c", by="small"))
        script << calls("big", purpose="fuse", live=False) >> said("abc", cost_usd=0.02)
        script << calls("small", purpose="judge") >> said("0.9", cost_usd=0.0001)
    answer = script.value
    assert answer.reply is not None
    assert (answer.reply.text, answer.reply.model) == ("abc", "emafusion/fusion")
    assert answer.fused is not None
    assert (answer.fused.way, sorted(answer.fused.attempts)) == ("merge", [0, 1, 2])
    assert answer.evidence.cost_usd == pytest.approx(spent(answer)) == pytest.approx(0.0232)


@pytest.mark.parametrize("verdict", ["0.55", "0.2"])
def test_a_written_answer_that_is_not_preferred_is_dropped(
    make_parts: MakeParts, verdict: str
) -> None:
    """The best single answer stays, under its model's name; what the writing took is counted."""
    parts = replace(fusing(make_parts(QUALITY)), group=apart)
    with Script(route(task(), parts)) as script:
        script << races("big", "middle", "small")
        script >> (said("a", by="big"), said("b", by="middle"), said("c", by="small"))
        script << calls("big", purpose="fuse") >> said("abc", cost_usd=0.02)
        script << calls("small", purpose="judge") >> said(verdict, cost_usd=0.0001)
    assert script.value.candidate == "big"
    assert script.value.evidence.cost_usd == pytest.approx(spent(script.value))


def test_a_writer_that_fails_costs_no_answer(make_parts: MakeParts) -> None:
    """The best single answer is given."""
    parts = replace(fusing(make_parts(QUALITY)), group=apart)
    with Script(route(task(), parts)) as script:
        script << races("big", "middle", "small")
        script >> (said("a", by="big"), said("b", by="middle"), said("c", by="small"))
        script << calls("big", purpose="fuse") >> failed(Overloaded("busy"))
    assert script.value.candidate == "big"


def test_writing_that_was_not_asked_for_must_pay(make_parts: MakeParts) -> None:
    """Where each dollar counts, the best single answer is given without any writing."""
    parts = replace(fusing(make_parts(QUALITY), is_free=False), group=apart)
    cheap = task(objective=Objective(answer_value_usd=0.0001))
    with Script(route(cheap, parts)) as script:
        script << races("small", "middle")  # the third would not pay either
        script >> (said("a", by="small"), said("b", by="middle"))
    assert script.value.evidence.merge is None


def test_a_form_is_never_written_anew(make_parts: MakeParts) -> None:
    """A query for several answers at once is none that one text answers."""
    parts = replace(fusing(make_parts(QUALITY)), group=apart)
    query = ask("Three names for a cat?")
    several = replace(query, settings=structs.replace(query.settings, n=2))
    with Script(route(task(query=several), parts)) as script:
        script << races("big", "middle", "small")
        script >> (said("a", by="big"), said("b", by="middle"), said("c", by="small"))
    assert script.value.fused is None


def test_the_only_model_is_asked_several_times(make_parts: MakeParts) -> None:
    """Self-consistency: samples of one model vote."""
    with Script(route(task(candidates=(SMALL,)), fusing(make_parts(QUALITY)))) as script:
        script << races("small", "small", "small")
        script >> (said("41", by="small"), said("42", by="small"), said("42", by="small"))
    assert script.value.reply is not None
    assert script.value.reply.text == "42"


def test_money_limits_how_many_are_asked(make_parts: MakeParts) -> None:
    """Only as many as the request may pay for."""
    poor = task(objective=Objective(max_cost_usd=0.0035, quality_weight=0.0))
    with Script(route(poor, fusing(make_parts(QUALITY)))) as script:
        script << races("small", "middle")
        script >> (said("42", by="small"), said("42", by="middle"))
    assert script.value.fused == Fused(way="vote", attempts=(0, 1))


def test_what_would_be_done_is_told_beforehand(make_parts: MakeParts) -> None:
    """The plan names all that would be called, and what they cost together."""
    _, _, plan = forecast(task(), fusing(make_parts(QUALITY)))
    assert plan.step == GatherStep(candidates=("big", "middle", "small"))
    assert plan.cost_usd == pytest.approx(0.013)
    assert plan.quality is not None
    assert plan.quality > 0.7


def test_without_asking_nothing_changes(make_parts: MakeParts) -> None:
    """The same parts answer a query for `auto` by one call after the other."""
    parts = fusing(make_parts(QUALITY, max_looks=1))
    with Script(route(task(is_fused=False), parts)) as script:
        script << calls("big") >> said("42")
    assert script.value.candidate == "big"


def test_it_is_a_policy() -> None:
    """What every policy holds, where it begins as the inner one does."""
    gain = GainPolicy(dial=DIAL, spread=make_spread(2.0, 2.0))
    check_policy(FusionPolicy(inner=gain, dial=DIAL))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.floats(0, 0.4), st.floats(0, 0.5))
def test_preference_is_monotone(values: list[float], margin: float, more: float) -> None:
    """What is preferred stays preferred if any order prefers it more, or the margin is smaller."""

    def told(shares: list[float]) -> tuple[Judgement, ...]:
        return tuple(Judgement(judge="llm:a", attempt=0, value=min(v, 1.0)) for v in shares)

    if is_preferred(told(values), margin):
        assert is_preferred(told([value + more for value in values]), margin)
        assert is_preferred(told(values), margin * 0.5)
    assert not is_preferred(
        (*told(values), Judgement(judge="llm:a", attempt=0, value=None)), margin
    )


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=6))
def test_a_vote_gives_an_answer_that_most_gave(texts: list[str]) -> None:
    """With equal models the given answer is a most frequent one, and all its givers are named."""
    from tests.flow.conftest import Encoder, Estimator, group

    names = [f"m{i}" for i in range(len(texts))]
    gain = GainPolicy(dial=DIAL, spread=make_spread(60.0, 60.0), max_looks=1)
    parts = Parts(
        encoder=Encoder(),
        estimator=Estimator(dict.fromkeys(names, 0.5)),
        policy=FusionPolicy(inner=gain, dial=DIAL, count=6, votes=True),
        judges={},
        panel=Voting(),
        group=group,
    )
    best = Objective(quality_weight=1.0)
    many = Task(query=ask("?"), candidates=tuple(map(candidate, names)), objective=best)
    flow = route(many, parts)
    command = next(flow)
    order = [c.candidate.name for c in command.calls]  # type: ignore[union-attr]  # a race
    replies = tuple(said(texts[names.index(name)], by=name) for name in order)
    with pytest.raises(StopIteration) as stop:
        flow.send(replies)
    answer: Answer = stop.value.value
    assert answer.reply is not None
    most = max(texts.count(text) for text in texts)
    assert texts.count(answer.reply.text) == most
    if most > 1:
        assert answer.fused is not None
        assert len(answer.fused.attempts) == most
        assert isinstance(answer.plans[-1].step, StopStep)
