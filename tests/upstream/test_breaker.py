"""The breaker's whole life as a value, and what every life of it has in common."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import (
    Cancelled,
    ContextTooLong,
    DeadlinePassed,
    Declined,
    Disconnected,
    Failure,
    Garbled,
    Overloaded,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorized,
)
from emafusion.upstream.breaker import Breaker, BreakerRules, Sign
from emafusion.upstream.budget import RetryBudget
from emafusion.upstream.headroom import Headroom
from emafusion.upstream.health import Health, sign_of

RULES = BreakerRules(
    failures=3, share=0.5, window_s=10.0, cool_s=2.0, max_cool_s=20.0, max_pause_s=20.0, probe_s=4.0
)
SIGNS: tuple[Sign, ...] = ("alive", "failing", "unclear")
LIVES = st.lists(
    st.tuples(
        st.sampled_from(SIGNS),
        st.floats(0.0, 30.0),
        st.one_of(st.none(), st.floats(0.0, 100.0)),
        st.booleans(),
    ),
    max_size=60,
)
Life = list[tuple[Sign, float, float | None, bool]]


def live(life: Life) -> list[tuple[Breaker, float]]:
    """Let a breaker live: signs with the seconds before each, pauses, and calls announced."""
    breaker, now = Breaker(rules=RULES), 0.0
    states = [(breaker, now)]
    for sign, after_s, pause_s, announced in life:
        now += after_s
        if announced:
            breaker = breaker.began(now)
        breaker = breaker.noted(sign, now, pause_s=pause_s)
        states.append((breaker, now))
    return states


def failing(breaker: Breaker, times: int, now: float = 0.0) -> Breaker:
    """Let it fail several times at once."""
    for _ in range(times):
        breaker = breaker.noted("failing", now)
    return breaker


def test_it_opens_at_the_given_number_of_failures() -> None:
    """Not before, and then at once."""
    assert failing(Breaker(rules=RULES), 2).phase(0.0) == "closed"
    assert failing(Breaker(rules=RULES), 3).phase(0.0) == "open"


def test_old_failures_are_forgotten() -> None:
    """A failure now and then is no outage."""
    breaker = Breaker(rules=RULES)
    for now in range(0, 1000, 10):
        breaker = breaker.noted("failing", float(now))
    assert breaker.phase(1000.0) == "closed"


def test_failures_among_many_answers_are_no_outage() -> None:
    """A busy deployment that sometimes fails stays in use."""
    breaker = Breaker(rules=RULES)
    for n in range(200):
        breaker = breaker.noted("failing" if n % 4 == 0 else "alive", n * 0.01)
    assert breaker.phase(2.0) == "closed"


def test_one_call_at_a_time_tries_whether_it_is_over() -> None:
    """When half open, the second waits for the first, but not for ever."""
    breaker = failing(Breaker(rules=RULES), 3)
    assert not breaker.allows(1.9)
    assert breaker.allows(2.0)
    trying = breaker.began(2.0)
    assert not trying.allows(2.1)
    assert trying.wait_s(2.1) == 3.9
    assert trying.allows(6.0)
    assert trying.noted("unclear", 3.0).allows(3.0)
    assert trying.noted("alive", 3.0).allows(3.0)


def test_each_failed_try_waits_longer_up_to_a_bound() -> None:
    """2, 4, 8, 16, then 20 seconds; one success and it starts over."""
    breaker, now, waits = failing(Breaker(rules=RULES), 3), 0.0, []
    for _ in range(6):
        waits.append(breaker.open_until - now)
        now = breaker.open_until
        breaker = breaker.began(now).noted("failing", now)
    assert waits == [2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    healed = breaker.noted("alive", breaker.open_until)
    again = failing(healed, 3, breaker.open_until)
    assert again.open_until - breaker.open_until == 2.0


def test_late_failures_do_not_prolong_it() -> None:
    """Calls that were under way when it opened add nothing."""
    breaker = failing(Breaker(rules=RULES), 3)
    assert failing(breaker, 50, 1.0) == breaker


def test_a_pause_that_was_asked_for_is_kept() -> None:
    """`retry-after` closes the way at once, for that long, and leaves no suspicion behind."""
    breaker = Breaker(rules=RULES).noted("failing", 0.0, pause_s=7.0)
    assert (breaker.phase(6.9), breaker.phase(7.0)) == ("open", "closed")
    assert breaker.wait_s(5.0) == 2.0
    assert breaker.noted("failing", 1.0, pause_s=1.0).paused_until == 7.0
    assert Breaker(rules=RULES).noted("failing", 0.0, pause_s=1e9).paused_until == 20.0


@given(LIVES)
def test_no_life_blocks_for_ever(life: Life) -> None:
    """Whatever happened, after the longest cool-down a call is allowed again."""
    for breaker, now in live(life):
        assert breaker.wait_s(now) <= RULES.max_cool_s + 1e-6
        later = now + breaker.wait_s(now)
        assert breaker.allows(later + 1e-6)


@given(LIVES)
def test_no_life_opens_without_failures(life: Life) -> None:
    """Answers and unclear ends never open it; without a pause it takes enough failures."""
    calm: Life = [(sign, s, None, a) for sign, s, _, a in life if sign != "failing"]
    assert all(breaker.phase(now) == "closed" for breaker, now in live(calm))
    few = [n for n, (sign, *_) in enumerate(life) if sign == "failing"][2:]
    two: Life = [(sign, s, None, a) for n, (sign, s, _, a) in enumerate(life) if n not in few]
    assert all(breaker.phase(now) == "closed" for breaker, now in live(two))


@given(LIVES)
def test_waiting_and_allowing_agree(life: Life) -> None:
    """A wait of 0 means allowed, any other means not."""
    for breaker, now in live(life):
        assert (breaker.wait_s(now) == 0.0) == breaker.allows(now)
        assert breaker.allows(now) <= (breaker.phase(now) != "open")


@given(LIVES, st.floats(-1000.0, 1000.0))
def test_only_differences_of_time_matter(life: Life, shift: float) -> None:
    """The clock may start anywhere."""
    moved = Breaker(rules=RULES)
    plain, now = Breaker(rules=RULES), 0.0
    for sign, after_s, pause_s, _ in life:
        now += float(round(after_s))
        start = float(round(shift))
        plain = plain.noted(sign, now, pause_s=pause_s and round(pause_s))
        moved = moved.noted(sign, now + start, pause_s=pause_s and round(pause_s))
        assert plain.phase(now) == moved.phase(now + start)


def attempt(failure: Failure | None = None) -> Attempt:
    """An attempt with this failure, or with a reply."""
    reply = Reply(choices=(Choice(text="x"),), model="m") if failure is None else None
    return Attempt(candidate="c", reply=reply, failure=failure)


def test_attempts_are_signs() -> None:
    """Refusing a query is a sign of life; refusing our key is none."""
    alive = (None, Rejected("x"), ContextTooLong("x"), Declined("x"))
    failed = (
        RateLimited("x"),
        Overloaded("x"),
        TimedOut("x"),
        Disconnected("x"),
        Unauthorized("x"),
        Garbled("x"),
    )
    unclear = (Cancelled("x"), DeadlinePassed("x"))
    assert {sign_of(attempt(failure)) for failure in alive} == {"alive"}
    assert {sign_of(attempt(failure)) for failure in failed} == {"failing"}
    assert {sign_of(attempt(failure)) for failure in unclear} == {"unclear"}


def test_health_is_kept_for_each_name() -> None:
    """One deployment's outage is not another's; looking takes no turn, beginning does."""
    health = Health(RULES)
    for _ in range(3):
        health.note("bad", attempt(Overloaded("x")), 0.0)
        health.note("good", attempt(), 0.0)
    assert [health.available(name, 0.0) for name in ("bad", "good", "new")] == [False, True, True]
    assert health.wait_s("bad", 0.5) == 1.5
    assert health.wait_s("new", 0.5) == 0.0
    assert health.available("bad", 2.0)
    assert health.available("bad", 2.0)
    health.began("bad", 2.0)
    health.began("new", 2.0)
    assert not health.available("bad", 2.0)
    assert health.phases(2.0) == {"bad": "half_open", "good": "closed"}
    health.note("bad", attempt(), 3.0)
    assert health.available("bad", 3.0)


def test_a_provider_that_asks_to_wait_is_left_alone() -> None:
    """The wait comes with the failure."""
    health = Health(RULES)
    health.note("c", attempt(RateLimited("x", retry_after_s=4.0)), 0.0)
    assert not health.available("c", 3.9)
    assert health.available("c", 4.0)


def test_what_was_known_before_is_known_after_under_new_rules() -> None:
    """Of the names that are the same; what was learned since is not undone."""
    before, after = Health(RULES), Health(BreakerRules(failures=7))
    for name in ("a", "b", "c"):
        for _ in range(3):
            before.note(name, _failed(name), 0.0)
        before.heard(name, Headroom(share=0.25, until=60.0))
    after.note("b", _answered("b"), 0.0)
    after.inherit(before, ("a", "b", "nobody"))
    assert after.phases(1.0) == {"a": "open", "b": "closed"}
    assert after.breaker("a").rules.failures == 7
    assert [after.room(name, 1.0) for name in "abc"] == [0.25, 0.25, 1.0]


def test_a_budget_of_retries_goes_on_where_the_one_before_it_stood() -> None:
    """A reload is no way to more retries; a smaller budget stays small."""
    before = RetryBudget(most=6.0)
    for _ in range(4):
        before.take()
    for most, left in ((6.0, 2), (1.0, 1)):
        after = RetryBudget(most=most)
        after.inherit(before)
        assert sum(after.take() for _ in range(9)) == left


def _failed(name: str) -> Attempt:
    return Attempt(candidate=name, failure=Overloaded("no"))


def _answered(name: str) -> Attempt:
    return Attempt(candidate=name, reply=Reply(choices=(Choice(text="yes"),), model=name))
