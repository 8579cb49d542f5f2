"""One model at several deployments: each call goes to the one that is likely to answer soonest.

Two places are drawn and the one of less load is likely to be taken ("power of two choices",
Mitzenmacher 2001). Load is the peak-sensitive moving average of the seconds to a first word, times
the calls under way, over the share of its rate limits that is left. A place that fails is tried
last by the same query, and left alone like any deployment (see `breaker`); when it is half open,
the next call is its test. A failure is no latency: it makes a place look neither quick nor slow.
"""

from __future__ import annotations

import math
import random
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec.structs import replace as with_fields

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call
from emafusion.domain.errors import RateLimited
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Sink, Upstream
from emafusion.upstream.health import Health

FORGET_S = 10.0
"""Seconds in which a latency loses 63 % of its weight."""

FIRST_S = 0.01
"""Seconds assumed of a place that was never called, so that it soon is."""

REMEMBERED = 1024
"""Queries for which it is remembered who was tried; the oldest are forgotten first."""


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """One deployment of the model: its name, how it is called there, and how it has done.

    `slow_s`: moving average of the seconds to a first word; `busy`: calls under way.
    """

    name: str
    deployment: str
    remote_name: str
    upstream: Upstream
    slow_s: float = FIRST_S
    busy: int = 0
    seen_at: float = -math.inf

    def load(self, now: float, room: float) -> float:
        """How long the next call there may wait; `room`: share of its limits that is left."""
        return self._slow_s(now) * (self.busy + 1) / max(room, 0.01)

    def took(self, seconds: float, now: float) -> None:
        """Learn from a call: up at once, down by and by."""
        slow_s = self._slow_s(now)
        if seconds <= slow_s:
            kept = math.exp(-max(0.0, now - self.seen_at) / FORGET_S)
            seconds = slow_s * kept + seconds * (1.0 - kept)
        self.slow_s, self.seen_at = max(seconds, FIRST_S), now

    def suited(self, call: Call) -> Call:
        """The call as this place knows its model; named after the place."""
        theirs: Candidate = replace(
            call.candidate,
            name=self.name,
            deployment=self.deployment,
            remote_name=self.remote_name,
        )
        return with_fields(call, candidate=theirs)

    def _slow_s(self, now: float) -> float:
        """The average, which fades while nobody calls, so that a slow place is tried again."""
        if self.slow_s <= FIRST_S:
            return FIRST_S
        faded = math.exp(-max(0.0, now - self.seen_at) / FORGET_S)
        return max(FIRST_S, self.slow_s * faded)


class Fleet:
    """An `Upstream` made of several. `health` must know the names of its places.

    `chance`: of which two are drawn.
    """

    def __init__(
        self, places: Sequence[Place], health: Health, *, chance: random.Random | None = None
    ) -> None:
        self._places = tuple(places)
        self._health = health
        self._chance = chance or random.Random()
        self._tried: OrderedDict[str, set[str]] = OrderedDict()

    async def send(self, call: Call, sink: Sink | None = None, /) -> Attempt:
        """Make the call at the place that is likely to answer soonest."""
        place = self._chosen(call.query.query_id, time.monotonic())
        if place is None:
            return self._left_alone(call)
        return await self._sent(call, sink, place)

    async def close(self) -> None:
        """Nothing: the places are closed by whoever opened them."""

    async def _sent(self, call: Call, sink: Sink | None, place: Place) -> Attempt:
        started = time.monotonic()
        self._remember(call.query.query_id, place)
        self._health.began(place.name, started)
        place.busy += 1
        heard = False
        try:
            attempt = await place.upstream.send(place.suited(call), sink)
            heard = True
        finally:
            place.busy -= 1
            if not heard:  # given up by whoever waited, which says at least that it took so long
                now = time.monotonic()
                place.took(max(place.slow_s, now - started), now)
        now = time.monotonic()
        self._health.note(place.name, attempt, now)
        if attempt.reply is not None:
            self._tried.pop(call.query.query_id, None)
            place.took(attempt.ttft_s or attempt.latency_s, now)
        return with_fields(attempt, candidate=call.candidate.name)

    def _chosen(self, query_id: str, now: float) -> Place | None:
        """Who is called; None where all have asked to be left alone."""
        tried = self._tried.get(query_id, set[str]())
        fresh = [place for place in self._places if place.name not in tried] or [*self._places]
        able = [place for place in fresh if self._health.available(place.name, now)]
        if not able:
            able = [p for p in self._places if self._health.available(p.name, now)]
        if not able:  # better one that may fail than none, unless it asked for a pause
            able = [place for place in fresh if not self._health.pause_s(place.name, now)]
        if len(able) <= 1:
            return able[0] if able else None
        probed = next((p for p in able if self._health.is_probed(p.name, now)), None)
        return probed or self._drawn(able, now)

    def _drawn(self, able: Sequence[Place], now: float) -> Place:
        """One of two, by chance as the squares of their loads: nobody is forgotten for long."""
        one, two = self._chance.sample(able, 2)
        theirs, other = (p.load(now, self._health.room(p.name, now)) ** 2 for p in (one, two))
        return one if self._chance.random() * (theirs + other) < other else two

    def _remember(self, query_id: str, place: Place) -> None:
        self._tried.setdefault(query_id, set()).add(place.name)
        while len(self._tried) > REMEMBERED:
            self._tried.popitem(last=False)

    def _left_alone(self, call: Call) -> Attempt:
        now = time.monotonic()
        wait_s = min(self._health.pause_s(place.name, now) for place in self._places)
        return left_alone(call, wait_s)


def left_alone(call: Call, wait_s: float) -> Attempt:
    """What becomes of a call to a provider that asked not to be called for so many seconds."""
    told = f"the provider asked not to be called for another {wait_s:.1f} s"
    failure = RateLimited(told, retry_after_s=wait_s)
    return Attempt(candidate=call.candidate.name, failure=failure, cost_usd=0.0)
