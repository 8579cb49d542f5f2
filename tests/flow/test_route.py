"""The main flow, as conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec import structs

from emafusion.domain.command import Call, Flow, Race, race
from emafusion.domain.errors import (
    DeadlinePassed,
    Disconnected,
    NoCandidate,
    RateLimited,
    Rejected,
    Unauthorized,
)
from emafusion.domain.evidence import CallStep, JudgeStep, Plan, Situation, Step
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer
from emafusion.domain.query import Format, ask
from emafusion.flow.direct import direct
from emafusion.flow.parts import Parts, Task
from emafusion.flow.route import forecast, route
from emafusion.gateway.driver import Run, drive
from emafusion.replay.driver import run
from emafusion.testing import FakeUpstream, Script, calls, candidate, failed, said, waits

SMALL, BIG = candidate("small"), candidate("big", usd_per_mtok=10.0)
MakeParts = Callable[..., Parts]
QUALITY = {"small": 0.6, "big": 0.9}


class Restless:
    """Streams one answer, has it judged, then streams another one."""

    def plan(self, situation: Situation, /) -> Plan:
        """Judge what was said last, else call."""
        seen = situation.evidence
        step: Step = CallStep(candidate="small" if seen.attempts else "big", live=True)
        if len(seen.judgements) < len(seen.attempts):
            step = JudgeStep(judges=("honest",), attempt=len(seen.attempts) - 1)
        return Plan(step=step, propensity=1.0, reason="on and on")


def task(quality_weight: float = 0.7, **changes: object) -> Task:
    """A question to a small and a big model."""
    query = replace(ask("What is 7 times 6?"), **changes)  # type: ignore[arg-type]
    objective = Objective(quality_weight=quality_weight)
    return Task(query=query, candidates=(SMALL, BIG), objective=objective)


def test_convincing_cheap_answer_is_given(make_parts: MakeParts) -> None:
    """A cheap answer that the judges believe is the answer; the dear model is never called."""
    with Script(route(task(0.5), make_parts(QUALITY))) as script:
        script << calls("small", live=False) >> said("42, sure")
    answer = script.value
    assert answer.candidate == "small"
    assert answer.confidence == pytest.approx(0.95)
    assert answer.evidence.cost_usd == pytest.approx(0.001)
    assert answer.baseline_usd == pytest.approx(0.01)


def test_doubtful_cheap_answer_is_escalated(make_parts: MakeParts) -> None:
    """A cheap answer that the judges doubt is followed by the dear model's."""
    with Script(route(task(0.7), make_parts(QUALITY))) as script:
        script << calls("small") >> said("41, perhaps")
        script << calls("big") >> said("42, sure", cost_usd=0.01)
    assert script.value.candidate == "big"
    assert script.value.evidence.cost_usd == pytest.approx(0.011)
    assert len(script.value.evidence.judgements) == 2


def test_held_answer_wins_over_a_worse_second(make_parts: MakeParts) -> None:
    """Where the second look convinces less, the first answer is given."""
    parts = make_parts({"small": 0.6, "big": 0.62})
    with Script(route(task(1.0), parts)) as script:
        script << calls("big") >> said("42 it may be")
        script << calls("small") >> said("41?")
    assert script.value.candidate == "big"


def test_one_look_is_a_router_and_streams(make_parts: MakeParts) -> None:
    """With one look allowed the best call by utility is made, live where the client streams."""
    parts = make_parts(QUALITY, max_looks=1)
    with Script(route(task(1.0, stream=True), parts)) as script:
        script << calls("big", live=True) >> said("42")
    assert script.value.candidate == "big"


def test_failure_that_passes_is_retried(make_parts: MakeParts) -> None:
    """A dropped connection is tried once more before anybody else is asked."""
    with Script(route(task(0.0), make_parts(QUALITY))) as script:
        script << calls("small") >> failed(Disconnected("reset"))
        script << waits(0.2) << calls("small") >> said("42, sure")
    assert [a.failure is None for a in script.value.evidence.attempts] == [False, True]


def test_failure_that_stays_falls_back(make_parts: MakeParts) -> None:
    """A refused key is not tried again: the next best candidate is called."""
    with Script(route(task(0.0), make_parts(QUALITY))) as script:
        script << calls("small") >> failed(Unauthorized("no such key"))
        script << calls("big") >> said("42, sure")
    assert script.value.candidate == "big"


def test_long_rate_limit_falls_back_at_once(make_parts: MakeParts) -> None:
    """A provider that asks for a minute is not waited for while another may answer."""
    with Script(route(task(0.0), make_parts(QUALITY))) as script:
        script << calls("small") >> failed(RateLimited("slow down", retry_after_s=60.0))
        script << calls("big") >> said("42, sure")
    assert script.value.candidate == "big"


def test_when_all_fail_the_last_failure_is_told(make_parts: MakeParts) -> None:
    """Nobody answered: no reply, the last failure, every attempt in the evidence."""
    with Script(route(task(0.0), make_parts(QUALITY))) as script:
        script << calls("small") >> failed(Rejected("bad"))
        script << calls("big") >> failed(Unauthorized("no such key"))
    answer = script.value
    assert answer.reply is None
    assert isinstance(answer.failure, Unauthorized)
    assert len(answer.evidence.attempts) == 2


def test_passed_deadline_ends_it(make_parts: MakeParts) -> None:
    """When the request's deadline has passed nobody else is called."""
    with Script(route(task(0.0), make_parts(QUALITY))) as script:
        script << calls("small") >> failed(DeadlinePassed("too late"))
    assert isinstance(script.value.failure, DeadlinePassed)


def test_deadline_keeps_the_held_answer(make_parts: MakeParts) -> None:
    """A doubtful answer in hand is given when there is no time for a better one."""
    with Script(route(task(0.7), make_parts(QUALITY))) as script:
        script << calls("small") >> said("41, perhaps")
        script << calls("big") >> failed(DeadlinePassed("too late"))
    assert script.value.candidate == "small"


def test_half_a_streamed_answer_is_not_started_again(make_parts: MakeParts) -> None:
    """What the client has seen part of cannot be taken back: no retry, no fallback."""
    broken = structs.replace(failed(Disconnected("reset")), sent_live=True)
    parts = make_parts(QUALITY, max_looks=1)
    with Script(route(task(0.0, stream=True), parts)) as script:
        script << calls("small", live=True) >> broken
    assert isinstance(script.value.failure, Disconnected)


def test_nothing_follows_an_answer_that_was_streamed(make_parts: MakeParts) -> None:
    """However little the judges think of it: a second answer would be appended to the first."""
    parts = replace(make_parts(QUALITY), policy=Restless())
    sent = structs.replace(said("41, perhaps"), sent_live=True)
    with Script(route(task(stream=True), parts)) as script:
        script << calls("big", live=True) >> sent
    answer = script.value
    assert (answer.candidate, answer.confidence) == ("big", 0.05)
    assert answer.plans[-1].reason.startswith("it was sent as it came")


def test_unserveable_query_says_why(make_parts: MakeParts) -> None:
    """Where no model has the ability, the reason for each is told before anybody is called."""
    poor = candidate("small", abilities=frozenset())
    wish = replace(ask("JSON please"), format=Format(kind="json_object"))
    with pytest.raises(NoCandidate, match="small: has no ability 'json_object'"):
        Script(route(Task(query=wish, candidates=(poor,)), make_parts(QUALITY)))


@pytest.mark.parametrize(
    ("objective", "told"),
    [
        (Objective(min_quality=0.99), "min_quality: no model is predicted to reach 0.99"),
        (Objective(max_cost_usd=1e-9), "max_cost_usd: the cheapest is expected to cost 0.001"),
        (Objective(candidates=frozenset({"none"})), "not among the models allowed"),
    ],
)
def test_limit_that_cannot_be_held_is_refused(
    make_parts: MakeParts, objective: Objective, told: str
) -> None:
    """A limit that nobody can hold is a plain refusal."""
    impossible = structs.replace(task(), objective=objective)
    with pytest.raises(NoCandidate, match=told):
        Script(route(impossible, make_parts(QUALITY)))


def test_resting_candidate_is_left_alone(make_parts: MakeParts) -> None:
    """Who failed lately is not called while another can serve the query, else it is."""
    resting = structs.replace(task(0.0), resting=frozenset({"small"}))
    with Script(route(resting, make_parts(QUALITY))) as script:
        script << calls("big") >> said("42, sure")
    alone = structs.replace(resting, candidates=(SMALL,))
    with Script(route(alone, make_parts(QUALITY))) as script:
        script << calls("small") >> said("42, sure")


def test_direct_call_is_patient() -> None:
    """A named model has no fallback, so it is tried longer, and waited for as it asks."""
    with Script(direct(ask("Hello"), SMALL)) as script:
        script << calls("small", live=False) >> failed(RateLimited("slow", retry_after_s=3.0))
        script << waits(3.0) << calls("small") >> said("Hi")
    assert script.value.route == "direct"
    assert script.value.confidence is None


def test_forecast_calls_nobody(make_parts: MakeParts) -> None:
    """Explaining a query plans it, with the expected cost of the likely second look."""
    _, estimates, plan = forecast(task(0.7), make_parts(QUALITY))
    assert estimates.candidates == ("small", "big")
    assert plan.cost_usd is not None
    assert plan.cost_usd > 0.001
    assert plan.likely


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.0])
async def test_same_conversation_under_both_drivers(make_parts: MakeParts, weight: float) -> None:
    """Live and replayed, the same flow over the same answers gives the same answer."""
    answers = {
        "small": (failed(Disconnected("reset")), said("41, perhaps")),
        "big": (said("42, sure", cost_usd=0.01),),
    }
    parts = make_parts(QUALITY)
    live = await drive(route(task(weight), parts), _run(FakeUpstream(answers)))
    replayed = run(route(task(weight), parts), FakeUpstream(answers).recorded)
    assert _gist(live) == _gist(replayed)


def _run(upstream: FakeUpstream, seconds: float = 5.0) -> Run:
    deadline_s = asyncio.get_running_loop().time() + seconds
    return Run(
        upstreams={"fake": upstream}, pricer=lambda _usage, _price: None, deadline_s=deadline_s
    )


def _gist(answer: Answer) -> tuple[object, ...]:
    attempts = [(a.candidate, a.reply, a.cost_usd) for a in answer.evidence.attempts]
    steps = [plan.step for plan in answer.plans]
    return answer.candidate, answer.confidence, attempts, steps, answer.evidence.judgements


def both() -> Flow[tuple[str, ...]]:
    """Race two candidates for one answer."""
    contest = tuple(Call(candidate=c, query=ask("Hi")) for c in (SMALL, BIG))
    attempts = yield from race(Race(calls=contest, need=1, stagger_s=0.01))
    return tuple(a.failure.kind if a.failure else "answered" for a in attempts)


async def test_race_under_both_drivers() -> None:
    """The first answer wins, the other is cancelled, live and replayed."""
    answers = {"small": (said("a", latency_s=0.0),), "big": (said("b", latency_s=9.0),)}
    assert await drive(both(), _run(FakeUpstream(answers))) == ("answered", "cancelled")
    assert run(both(), FakeUpstream(answers).recorded) == ("answered", "cancelled")


def test_who_is_held_in_reserve_answers_where_nobody_else_does(make_parts: MakeParts) -> None:
    """A tool loop stays with its model while that answers; where it fails, the loop goes on."""
    loop = structs.replace(task(0.0), candidates=(SMALL,), reserve=(SMALL, BIG))
    with Script(route(loop, make_parts(QUALITY))) as script:
        script << calls("small") >> failed(Unauthorized("key"))
        script << calls("big") >> said("42, sure")
    assert script.value.candidate == "big"
    with Script(route(loop, make_parts(QUALITY))) as script:
        script << calls("small") >> said("41, sure")
    assert script.value.candidate == "small"


def test_others_can_prepare_before_the_first_call_and_only_then(make_parts: MakeParts) -> None:
    """What is known of the query is told once, before anybody is called."""
    told: list[tuple[str, ...]] = []
    heard = structs.replace(
        task(0.5), ahead=lambda _features, estimates: told.append(estimates.candidates)
    )
    with Script(route(heard, make_parts(QUALITY))) as script:
        assert told == [("small", "big")]
        script << calls("small", live=False) >> said("42, sure")
    assert told == [("small", "big")]
