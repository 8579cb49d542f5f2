"""Calls at once: who speaks, who is ended, and when the next one begins."""

from __future__ import annotations

import asyncio

from emafusion.domain.attempt import Attempt, Delta
from emafusion.domain.command import Call, Race
from emafusion.domain.errors import Disconnected
from emafusion.domain.ports import Sink
from emafusion.domain.query import ask
from emafusion.gateway.racing import Racing
from emafusion.testing import candidate, failed, said

QUERY = ask("Hi")


class Speakers:
    """Says words as each is told: the seconds before the first, whether it then breaks."""

    def __init__(self, **pauses_s: float) -> None:
        self.pauses_s = pauses_s
        self.began: list[str] = []
        self.ended: list[str] = []
        self.heard: list[str] = []
        self.breaks: frozenset[str] = frozenset()

    async def make(self, call: Call, sink: Sink | None) -> Attempt:
        """Make one call."""
        name = call.candidate.name
        self.began.append(name)
        try:
            await asyncio.sleep(self.pauses_s[name])
            if name in self.breaks:
                return failed(Disconnected("reset"), by=name)
            for _ in range(3):
                if sink is not None:
                    await sink(Delta(text=name))
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.ended.append(name)
            raise
        return said(name, by=name)

    async def hear(self, delta: Delta) -> None:
        """What reaches the client."""
        self.heard.append(delta.text)

    async def race(self, stagger_s: float, *, live: bool, may: bool = True) -> list[str]:
        """Race them in the order of their names; what came of each."""
        calls = tuple(Call(candidate=candidate(n), query=QUERY, live=live) for n in self.pauses_s)
        race = Race(calls=calls, stagger_s=stagger_s)
        sink = self.hear if live else None
        attempts = await Racing(race, self.make, sink=sink, may_start=lambda: may).run()
        return ["said" if a.failure is None else a.failure.kind for a in attempts]


async def test_the_first_word_has_the_floor() -> None:
    """Who speaks second is ended at that moment and never heard."""
    two = Speakers(slow=0.05, quick=0.0)
    assert await two.race(0.02, live=True) == ["cancelled", "said"]
    assert two.heard == ["quick"] * 3
    assert two.ended == ["slow"]


async def test_who_answers_in_time_is_alone() -> None:
    """The second call never begins."""
    two = Speakers(quick=0.0, other=0.0)
    assert await two.race(5.0, live=True) == ["said", "cancelled"]
    assert two.began == ["quick"]


async def test_a_failure_makes_the_next_begin_at_once() -> None:
    """Nobody waits for a turn that has become pointless."""
    two = Speakers(broken=0.0, other=0.0)
    two.breaks = frozenset({"broken"})
    async with asyncio.timeout(1.0):
        assert await two.race(30.0, live=False) == ["disconnected", "said"]


async def test_a_hedge_that_may_not_start_does_not() -> None:
    """Without allowance the first is waited for."""
    two = Speakers(slow=0.05, other=0.0)
    assert await two.race(0.01, live=True, may=False) == ["said", "cancelled"]
    assert two.began == ["slow"]


async def test_all_fail() -> None:
    """Each failure comes back."""
    two = Speakers(one=0.0, two=0.0)
    two.breaks = frozenset({"one", "two"})
    assert await two.race(0.0, live=False) == ["disconnected", "disconnected"]


async def test_a_race_that_is_given_up_ends_everybody() -> None:
    """The client leaves: both calls are cancelled."""
    two = Speakers(one=9.0, two=9.0)
    task = asyncio.ensure_future(two.race(0.0, live=False))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait((task,))
    assert sorted(two.ended) == ["one", "two"]
