"""The clock of one connection: which phase it is in and when that has lasted too long."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class Watch:
    """Calls `expire(phase, limit_s)` once a phase outlasts its limit, or the exchange its own.

    One timer serves all phases and all exchanges: moving the end of a phase only writes a number,
    the timer looks at it when it rings and sets itself anew. Times are those of the loop's clock.
    """

    __slots__ = (
        "_deadline",
        "_due",
        "_expire",
        "_limit_s",
        "_loop",
        "_phase",
        "_rings",
        "_timer",
        "_total_s",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, expire: Callable[[str, float], None]
    ) -> None:
        self._loop = loop
        self._expire = expire
        self._timer: asyncio.TimerHandle | None = None
        self._rings = math.inf
        self._due = self._deadline = math.inf
        self._phase = ""
        self._limit_s = self._total_s = 0.0

    def start(self, deadline: float, total_s: float) -> None:
        """Begin an exchange that must end at `deadline`, which gives it `total_s` in all."""
        self._deadline = deadline
        self._total_s = total_s

    def enter(self, phase: str, limit_s: float) -> None:
        """Begin a phase that may last `limit_s`."""
        self._phase = phase
        self._limit_s = limit_s
        self._due = self._loop.time() + limit_s
        soonest = min(self._due, self._deadline)
        if soonest < self._rings:
            self._arm(soonest)

    def pause(self) -> None:
        """It is us who make the server wait: only the deadline counts."""
        self._due = math.inf

    def rest(self) -> None:
        """Nothing is waited for any more; a timer that still runs will find nothing to do."""
        self._due = self._deadline = math.inf

    def close(self) -> None:
        """Stop the timer for good."""
        self.rest()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = when
        self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._rings = math.inf
        soonest = min(self._due, self._deadline)
        if soonest == math.inf:
            return
        # A clock of coarse ticks may ring a hair early.
        if self._loop.time() < soonest - 0.001:
            self._arm(soonest)
        elif self._deadline <= self._due:
            self._expire("total", self._total_s)
        else:
            self._expire(self._phase, self._limit_s)
