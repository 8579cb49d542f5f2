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

SCOUT_S = 10.0
"""Seconds in which others wait for what one request finds out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mercies:
    """The rules that hold for every request.

    `hedge`: None where silence is waited out; `places`: at how many deployments a candidate is
    served, where at several; `fallbacks`: who is asked where a model that a client named fails;
    `scouts`: when somebody of whom nothing was known was last asked without a token, by name.
    """

    budget: RetryBudget = field(default_factory=RetryBudget)
    hedge: Hedge | None = None
    direct: Patience = DIRECT
    routed: Patience = ROUTED
    places: Mapping[str, int] = field(default_factory=dict[str, int])
    fallbacks: Mapping[str, tuple[Candidate, ...]] = field(
        default_factory=dict[str, tuple[Candidate, ...]]
    )
    scouts: dict[str, float] = field(default_factory=dict[str, float])

    def resting(self, health: Health, now: float) -> frozenset[str]:
        """Names that are called only where nobody else can be.

        Where the budget is spent, whoever failed last is among them: nobody could stand in.
        """
        resting = health.resting(now)
        return resting | health.stumbled(now) if self.budget.is_spent else resting

    def of(self, health: Health, deadline_s: float, fits: Fits = anybody) -> Mercy:
        """What one request may do; `deadline_s`: on the event loop's clock.

        `fits`: whether a model may be asked besides the one that is silent.
        """
        allowed = _Allowed(self, health, deadline_s)
        return Mercy(
            allowance=allowed,
            hope=allowed.hope,
            hedge=None if self.hedge is None else replace(self.hedge, fits=fits),
            direct=self.direct,
            routed=self.routed,
            places=self.places,
        )


class _Allowed:
    """An allowance: there is time for it, the candidate is up as far as known, and a token left.

    Who has just answered others needs no token: where one of several dies under load, all that it
    had under way go to the rest, and no outage is made worse by that. Of whom nothing is known
    lately, good or bad, one request may find out; there is hope until it has.
    """

    __slots__ = ("_deadline_s", "_health", "_loop", "_mercies")

    def __init__(self, mercies: Mercies, health: Health, deadline_s: float) -> None:
        self._mercies = mercies
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
        if self._health.is_proven(candidate, now) or self._scouts(candidate, now):
            return True
        return self._mercies.budget.take()

    def hope(self, candidate: str) -> bool:
        """Whether another request is finding out if the candidate is up."""
        now = time.monotonic()
        if self._loop.time() >= self._deadline_s or not self._is_open(candidate, now):
            return False
        asked_at = self._mercies.scouts.get(candidate)
        return asked_at is not None and now - asked_at < SCOUT_S

    def _scouts(self, candidate: str, now: float) -> bool:
        """Whether this is the request that finds out."""
        if self.hope(candidate) or not self._is_open(candidate, now):
            return False
        self._mercies.scouts[candidate] = now
        return True

    def _is_open(self, candidate: str, now: float) -> bool:
        """Whether nothing speaks against the candidate."""
        health = self._health
        return health.available(candidate, now) and candidate not in health.stumbled(now)
