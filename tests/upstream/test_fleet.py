"""One model at several places: who is called, and what is remembered of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter

import pytest
from msgspec.structs import replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call
from emafusion.domain.errors import Overloaded, RateLimited
from emafusion.domain.ports import Sink
from emafusion.domain.query import ask
from emafusion.testing import candidate, failed, said
from emafusion.upstream.breaker import BreakerRules
from emafusion.upstream.fleet import Fleet, Place
from emafusion.upstream.headroom import Headroom
from emafusion.upstream.health import Health

NAMES = ("one#1", "one#2")
DOWN = failed(Overloaded("down"))


class Spot:
    """An upstream that gives what it is told to, after a while."""

    def __init__(self) -> None:
        self.attempt: Attempt = said("Hi")
        self.pause_s = 0.0
        self.seen: list[Call] = []

    async def send(self, call: Call, _sink: Sink | None = None, /) -> Attempt:
        """Answer."""
        self.seen.append(call)
        await asyncio.sleep(self.pause_s)
        latency_s = self.pause_s + 0.001
        return replace(self.attempt, candidate=call.candidate.name, latency_s=latency_s)

    async def close(self) -> None:
        """Nothing to close."""


class Setup:
    """Two spots and the fleet in front of them."""

    def __init__(self) -> None:
        rules = BreakerRules(failures=2.0, cool_s=0.05, max_cool_s=0.05)
        self.health = Health(rules, groups={"one": NAMES})
        self.left, self.right = Spot(), Spot()
        places = [
            Place(name=name, deployment=f"at-{name}", remote_name=f"r-{name}", upstream=spot)
            for name, spot in zip(NAMES, (self.left, self.right), strict=True)
        ]
        self.fleet = Fleet(places, self.health, chance=random.Random(7))

    async def ask(self, query_id: str = "q") -> Attempt:
        """Ask once."""
        call = Call(candidate=candidate("one"), query=ask("Hi", query_id=query_id))
        return await self.fleet.send(call)

    async def share(self, times: int) -> tuple[int, int]:
        """Calls that each spot gets of so many."""
        self.left.seen.clear()
        self.right.seen.clear()
        for n in range(times):
            await self.ask(f"q{n}")
        return len(self.left.seen), len(self.right.seen)


@pytest.fixture
def setup() -> Setup:
    """Two places."""
    return Setup()


async def test_a_place_is_called_by_its_own_names(setup: Setup) -> None:
    """The call bears the names of the place, the attempt that of the candidate."""
    attempt = await setup.ask()
    call = (setup.left.seen or setup.right.seen)[0]
    assert attempt.candidate == "one"
    assert call.candidate.deployment == f"at-{call.candidate.name}"
    assert call.candidate.remote_name == f"r-{call.candidate.name}"


async def test_both_are_used_and_the_slow_one_less(setup: Setup) -> None:
    """Load follows latency."""
    assert min(await setup.share(60)) >= 15
    setup.left.pause_s = 0.05
    left, right = await setup.share(60)
    assert left < right / 2


async def test_the_same_query_tries_another_place(setup: Setup) -> None:
    """After a failure the next call of that query goes elsewhere."""
    setup.left.attempt = setup.right.attempt = DOWN
    await setup.ask("q")
    await setup.ask("q")
    assert (len(setup.left.seen), len(setup.right.seen)) == (1, 1)


async def test_a_broken_place_rests_and_is_tested_by_one_call(setup: Setup) -> None:
    """After two failures nobody goes there; then one does, and after its answer all may."""
    setup.left.attempt = DOWN
    await setup.share(20)
    assert (await setup.share(10))[0] == 0
    await asyncio.sleep(0.06)
    setup.left.attempt, setup.left.pause_s = said("Hi"), 0.02
    setup.left.seen.clear()
    await asyncio.gather(*(setup.ask(f"p{n}") for n in range(8)))
    assert len(setup.left.seen) == 1
    setup.left.pause_s = 0.0
    assert (await setup.share(40))[0] >= 5


async def test_places_that_asked_for_a_pause_get_it(setup: Setup) -> None:
    """One: the other is called. Both: nobody is, and the client hears how long."""
    slow = failed(RateLimited("slow", retry_after_s=30.0))
    setup.left.attempt = slow
    await setup.share(10)
    assert (await setup.share(10)) == (0, 10)
    setup.right.attempt = slow
    await setup.share(1)
    told = await setup.ask("late")
    assert await setup.share(3) == (0, 0)
    assert told.failure is not None
    assert told.failure.retry_after_s is not None
    assert 29.0 < told.failure.retry_after_s <= 30.0


async def test_places_that_fail_are_called_where_nobody_else_is(setup: Setup) -> None:
    """Better one that may fail than none."""
    setup.left.attempt = setup.right.attempt = DOWN
    await setup.share(20)
    assert sum(await setup.share(4)) == 4


async def test_limits_that_are_used_up_are_left_alone(setup: Setup) -> None:
    """No room: no calls. Little room: few."""
    now = asyncio.get_running_loop().time()
    setup.health.heard("one#1", Headroom(share=0.0, until=now + 60))
    assert (await setup.share(20))[0] == 0
    setup.health.heard("one#1", Headroom(share=0.02, until=now + 60))
    left, right = await setup.share(60)
    assert left < right / 3


async def test_a_call_that_is_given_up_counts_as_slow(setup: Setup) -> None:
    """A place that hangs is called less, although it never failed."""
    setup.left.pause_s = 60.0
    for n in range(6):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(setup.ask(f"q{n}"), 0.03)
    setup.left.pause_s = 0.0
    left, right = await setup.share(60)
    assert left < right


async def test_memory_of_queries_is_bounded(setup: Setup) -> None:
    """The oldest are forgotten."""
    seen = Counter[str]()
    for n in range(1200):
        seen[(await setup.ask(f"q{n}")).candidate] += 1
    await setup.fleet.close()
    assert seen["one"] == 1200
