"""A circuit breaker as a value: what has been seen of a deployment, and whether to call it now.

    closed ──failures──> open ──time──> half open ──success──> closed
                          ^                 │
                          └─────failure─────┘

Pure: every change gives a new breaker, and time is an argument (seconds on any clock that never
goes back).
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Phase = Literal["closed", "open", "half_open"]
Sign = Literal["alive", "failing", "unclear"]
"""What a call says of its deployment; `unclear`: nothing, such as a client that left."""


class BreakerRules(Struct, frozen=True, kw_only=True):
    """When to open and for how long.

    Opens at `failures` (>= 1) in a row, or where so many are at least `share` (0..1) of all calls;
    older calls count less, by exp(-age / window_s). Stays open for cool_s * growth^n seconds after
    the n-th time in a row, from 0, at most `max_cool_s`. A provider that asks to be left alone is,
    for `max_pause_s` at most. When half open, one call at a time is let through; one that has not
    come back after `probe_s` is given up.
    """

    failures: float = 5.0
    share: float = 0.5
    window_s: float = 30.0
    cool_s: float = 2.0
    growth: float = 2.0
    max_cool_s: float = 30.0
    max_pause_s: float = 120.0
    probe_s: float = 15.0


class Breaker(Struct, frozen=True, kw_only=True):
    """Everything remembered of one deployment: two decayed counts, a streak and four times.

    `streak`: failures in a row. `trips`: how often in a row it opened, 0 when closed.
    `paused_until`: when the provider, asked to be left alone until then, may be called again.

    >>> breaker = Breaker()
    >>> for _ in range(5):
    ...     breaker = breaker.noted("failing", 0.0)
    >>> [breaker.phase(now) for now in (0.0, 1.9, 2.0)]
    ['open', 'open', 'half_open']
    >>> breaker.noted("alive", 3.0).phase(3.0)
    'closed'
    """

    rules: BreakerRules = BreakerRules()
    alive: float = 0.0
    failing: float = 0.0
    counted_at: float = -math.inf
    streak: int = 0
    trips: int = 0
    open_until: float = -math.inf
    probe_until: float = -math.inf
    paused_until: float = -math.inf

    @property
    def stand(self) -> tuple[int, float, float]:
        """What others would have to know of it: trips, and the times when it opens again."""
        return self.trips, self.open_until, self.paused_until

    def phase(self, now: float, /) -> Phase:
        """Say where it stands."""
        if now < self.paused_until or now < self.open_until:
            return "open"
        return "half_open" if self.trips else "closed"

    def allows(self, now: float, /) -> bool:
        """Whether a call may begin now; when half open, only if no other is out to try."""
        phase = self.phase(now)
        return phase == "closed" or (phase == "half_open" and now >= self.probe_until)

    def answers(self, now: float, /) -> float:
        """How many answers came lately, older ones counting less."""
        return self.alive * math.exp(-max(0.0, now - self.counted_at) / self.rules.window_s)

    def falters(self, now: float, /) -> bool:
        """Whether the last call failed, not long ago."""
        return self._streak(now) > 0

    def wait_s(self, now: float, /) -> float:
        """Seconds until a call may begin, 0 if it may now."""
        if self.allows(now):
            return 0.0
        probe_until = self.probe_until if self.trips else -math.inf
        return max(self.paused_until, self.open_until, probe_until) - now

    def began(self, now: float, /) -> Breaker:
        """A call begins; when half open it is the one that tries."""
        if self.phase(now) != "half_open":
            return self
        return replace(self, probe_until=now + self.rules.probe_s)

    def noted(self, sign: Sign, now: float, /, *, pause_s: float | None = None) -> Breaker:
        """A call ended; `pause_s`: for how long the provider asked not to be called."""
        return _paused(self._signed(sign, now), pause_s, now)

    def _signed(self, sign: Sign, now: float) -> Breaker:
        phase = self.phase(now)
        if phase == "half_open":
            return self._tried(sign, now)
        if phase == "open" or sign == "unclear":
            # Calls that began before it opened say nothing new.
            return self
        return self._counted(sign, now)

    def _tried(self, sign: Sign, now: float) -> Breaker:
        if sign == "alive":
            return Breaker(rules=self.rules, alive=1.0, counted_at=now)
        return _tripped(self, now) if sign == "failing" else replace(self, probe_until=-math.inf)

    def _counted(self, sign: Sign, now: float) -> Breaker:
        kept = math.exp(-max(0.0, now - self.counted_at) / self.rules.window_s)
        alive = self.alive * kept + (sign == "alive")
        failing = self.failing * kept + (sign == "failing")
        counted = replace(
            self,
            alive=alive,
            failing=failing,
            counted_at=max(now, self.counted_at),
            streak=self._streak(now) + 1 if sign == "failing" else 0,
        )
        return _tripped(counted, now) if sign == "failing" and _is_enough(counted) else counted

    def _streak(self, now: float) -> int:
        """Failures in a row, of which the last is not long ago."""
        return self.streak if now - self.counted_at < self.rules.window_s else 0


def _is_enough(breaker: Breaker) -> bool:
    """Whether it has failed enough to be left alone: in a row, or most of the time."""
    rules, calls = breaker.rules, breaker.alive + breaker.failing
    is_most = breaker.failing >= rules.failures and breaker.failing >= rules.share * calls
    return is_most or breaker.streak >= rules.failures


def _tripped(breaker: Breaker, now: float) -> Breaker:
    rules = breaker.rules
    cool_s = min(rules.cool_s * rules.growth ** min(breaker.trips, 32), rules.max_cool_s)
    return Breaker(
        rules=rules,
        trips=breaker.trips + 1,
        open_until=now + cool_s,
        paused_until=breaker.paused_until,
    )


def _paused(breaker: Breaker, pause_s: float | None, now: float) -> Breaker:
    if pause_s is None or pause_s <= 0.0:
        return breaker
    until = now + min(pause_s, breaker.rules.max_pause_s)
    return replace(breaker, paused_until=max(breaker.paused_until, until))
