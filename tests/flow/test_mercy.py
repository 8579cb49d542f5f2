"""What a flow does where a call fails or stays silent: retries, other places, fallbacks, hedges."""

from __future__ import annotations

import pytest
from msgspec import structs

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Flow
from emafusion.domain.errors import (
    Cancelled,
    DeadlinePassed,
    Disconnected,
    Failure,
    Garbled,
    Overloaded,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorized,
)
from emafusion.domain.evidence import CallStep, Evidence, Plan
from emafusion.domain.query import ask
from emafusion.flow.direct import direct
from emafusion.flow.hedge import Hedge, asked
from emafusion.flow.retry import (
    HOPE_EVERY_S,
    Mercy,
    Patience,
    afforded,
    can_fall_back,
    fallback_of,
    persist,
)
from emafusion.testing import Script, calls, candidate, failed, races, said, waits

ONE, TWO = candidate("one"), candidate("two")
CALL = Call(candidate=ONE, query=ask("Hi"))
TWICE = Patience(retries=2, first_wait_s=0.5, max_wait_s=4.0)
DOWN = Overloaded("down")


def never(_candidate: str, _wait_s: float) -> bool:
    """Allow nothing."""
    return False


def test_a_failure_that_may_pass_is_tried_again() -> None:
    """Waits double; every attempt is kept."""
    with Script(persist(CALL, TWICE)) as script:
        script << calls("one") >> failed(DOWN)
        script << waits(0.5) << calls("one") >> failed(Disconnected("reset"))
        script << waits(1.0) << calls("one") >> said("Hi")
    assert [attempt.reply is not None for attempt in script.value] == [False, False, True]


@pytest.mark.parametrize("failure", [Rejected("wrong"), Garbled("?"), Unauthorized("key")])
def test_a_final_failure_is_final(failure: Failure) -> None:
    """The same call would fail again."""
    with Script(persist(CALL, TWICE)) as script:
        script << calls("one") >> failed(failure)
    assert len(script.value) == 1


def test_a_long_pause_is_not_waited_for() -> None:
    """Somebody else may answer sooner."""
    with Script(persist(CALL, TWICE)) as script:
        script << calls("one") >> failed(RateLimited("slow", retry_after_s=5.0))
    assert len(script.value) == 1


def test_nothing_is_tried_again_without_allowance() -> None:
    """The allowance is asked with the candidate and the wait, once for each retry."""
    asked_for: list[tuple[str, float]] = []

    def once(candidate: str, wait_s: float) -> bool:
        asked_for.append((candidate, wait_s))
        return len(asked_for) == 1

    with Script(persist(CALL, TWICE, Mercy(allowance=once))) as script:
        script << calls("one") >> failed(DOWN)
        script << waits(0.5) << calls("one") >> failed(DOWN)
    assert asked_for == [("one", 0.5), ("one", 1.0)]


def test_another_place_is_tried_at_once() -> None:
    """Where there are three places two more are asked without a wait, whatever the pause."""
    mercy = Mercy(places={"one": 3})
    with Script(persist(CALL, Patience(retries=0), mercy)) as script:
        script << calls("one") >> failed(RateLimited("slow", retry_after_s=60.0))
        script << calls("one") >> failed(Unauthorized("key"))
        script << calls("one") >> failed(DOWN)
    assert len(script.value) == 3


def test_a_wrong_query_is_wrong_everywhere() -> None:
    """No other place and no fallback is asked what the first one has refused."""
    mercy = Mercy(places={"one": 2})
    with Script(direct(ask("Hi"), ONE, mercy=mercy, fallbacks=(TWO,))) as script:
        script << calls("one") >> failed(Rejected("wrong"))
    assert script.value.candidate is None


def test_a_fallback_answers_for_a_named_model() -> None:
    """It is asked after the model's own retries, and the answer says whose it is."""
    mercy = Mercy(direct=Patience(retries=1, first_wait_s=0.1))
    with Script(direct(ask("Hi"), ONE, mercy=mercy, fallbacks=(TWO,))) as script:
        script << calls("one") >> failed(DOWN)
        script << waits(0.1) << calls("one") >> failed(DOWN)
        script << calls("two") >> said("Hi")
    assert script.value.candidate == "two"
    assert len(script.value.plans) == 2


def test_a_fallback_that_is_not_allowed_is_passed_over() -> None:
    """The failure of the model that was asked is what the client hears."""
    with Script(direct(ask("Hi"), ONE, mercy=Mercy(allowance=never), fallbacks=(TWO,))) as script:
        script << calls("one") >> failed(DOWN)
    assert script.value.failure is DOWN


def test_what_was_sent_has_no_fallback() -> None:
    """What a client has seen the start of cannot be taken back."""
    assert not can_fall_back((structs.replace(failed(DOWN), sent_live=True),))
    assert not can_fall_back((failed(DeadlinePassed("over")),))
    assert not can_fall_back((said("Hi"),))
    assert can_fall_back((failed(Garbled("?")),))


def test_which_plan_falls_back() -> None:
    """A first call, and a call after an answer, are no fallback; after failures it is one."""
    plan = Plan(step=CallStep(candidate="two"), propensity=1.0, reason="next")
    failing = Evidence(attempts=(failed(DOWN),))
    answered = Evidence(attempts=(failed(DOWN), said("Hi")))
    assert fallback_of(plan, Evidence()) is None
    assert fallback_of(plan, answered) is None
    assert fallback_of(plan, failing) == "two"


def test_a_fallback_waits_for_whoever_finds_out() -> None:
    """As long as there is hope the allowance is asked again; without it the answer is no."""
    answers = iter((False, False, True))
    patient = Mercy(allowance=lambda _name, _wait_s: next(answers), hope=lambda _name: True)
    with Script(afforded("two", patient)) as script:
        script << waits(HOPE_EVERY_S) << waits(HOPE_EVERY_S)
    assert script.value is True
    with Script(afforded("two", Mercy(allowance=never))) as script:
        pass
    assert script.value is False


def hedged() -> Flow[tuple[Attempt, ...]]:
    """Ask one, and two where it stays silent."""
    return (yield from asked(CALL, Hedge(after_s=0.5, spare={"one": TWO})))


def test_a_hedge_is_a_staggered_race() -> None:
    """Both calls, the second after the silence; what was beaten is remembered as too slow."""
    with Script(hedged()) as script:
        beaten = failed(Cancelled("another"), latency_s=0.7, by="one")
        script << races("one", "two") >> (beaten, said("Hi", by="two"))
    kinds = [None if a.failure is None else type(a.failure) for a in script.value]
    assert kinds == [TimedOut, None]


def test_a_hedge_that_never_began_leaves_no_trace() -> None:
    """Where the first answers in time there is one attempt."""
    with Script(hedged()) as script:
        unasked = failed(Cancelled("another"), latency_s=0.0, by="two")
        script << races("one", "two") >> (said("Hi", by="one"), unasked)
    assert [attempt.candidate for attempt in script.value] == ["one"]


def test_nobody_is_asked_besides_without_a_spare() -> None:
    """A candidate that has none is called as ever."""
    with Script(asked(CALL, Hedge(after_s=0.5))) as script:
        script << calls("one") >> said("Hi")
