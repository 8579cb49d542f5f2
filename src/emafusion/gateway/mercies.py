"""What the gateway does where a call fails or stays silent: one budget for all requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from emafusion.domain.model import Candidate
from emafusion.flow.hedge import Fits, Hedge, anybody
from emafusion.flow.retry import DIRECT, ROUTED, Mercy, Patience
from emafusion.upstream.budget import RetryBudget
from emafusion.upstream.health import Health


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mercies:
    """The rules that hold for every request.

    `hedge`: None where silence is waited out; `places`: at how many deployments a candidate is
    served, where at several; `fallbacks`: who is asked where a model that a client named fails.
    """

    budget: RetryBudget = field(default_factory=RetryBudget)
    hedge: Hedge | None = None
    direct: Patience = DIRECT
    routed: Patience = ROUTED
    places: Mapping[str, int] = field(default_factory=dict[str, int])
    fallbacks: Mapping[str, tuple[Candidate, ...]] = field(
        default_factory=dict[str, tuple[Candidate, ...]]
    )

    def of(self, health: Health, deadline_s: float, fits: Fits = anybody) -> Mercy:
        """What one request may do; `deadline_s`: on the event loop's clock.

        `fits`: whether a model may be asked besides the one that is silent.
        """
        return Mercy(
            allowance=_Allowed(self.budget, health, deadline_s),
            hedge=None if self.hedge is None else replace(self.hedge, fits=fits),
            direct=self.direct,
            routed=self.routed,
            places=self.places,
        )


class _Allowed:
    """An allowance: there is time for it, the candidate is up as far as known, and a token left.

    Who has just answered others needs no token: where one of several dies under load, all that it
    had under way go to the rest, and no outage is made worse by that.
    """

    __slots__ = ("_budget", "_deadline_s", "_health", "_loop")

    def __init__(self, budget: RetryBudget, health: Health, deadline_s: float) -> None:
        self._budget = budget
        self._health = health
        self._deadline_s = deadline_s
        self._loop = asyncio.get_running_loop()  # asked later from a thread, perhaps

    def __call__(self, candidate: str, wait_s: float) -> bool:
        """Whether one more call may be made; takes a token where it may."""
        if self._loop.time() + wait_s >= self._deadline_s:
            return False
        now = time.monotonic()
        if not self._health.available(candidate, now + wait_s):
            return False
        return self._health.is_proven(candidate, now) or self._budget.take()
