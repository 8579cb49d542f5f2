"""Turns the gateway's dial through the day, towards the config's budget."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from emafusion.build.keys import KeyRing
from emafusion.config import Config
from emafusion.domain.errors import Unready
from emafusion.domain.outcome import Outcome
from emafusion.gateway.admission_charges import ALL, DAY_S, daily
from emafusion.gateway.service import Service
from emafusion.policy.budget import Day, Pace, paced
from emafusion.store.keys.ports import Charge, Meter

EVERY_S = 30.0

_log = logging.getLogger("emafusion")


@dataclass(slots=True, kw_only=True, eq=False)
class Pacer:
    """Counts what every request cost, and turns the dial by it; a `Watcher`.

    What all processes that share `meter` spend counts together. Requests of unknown cost do not.
    """

    budget_usd: float
    meter: Meter
    clock: Callable[[], float] = time.time
    _uncounted: dict[float, float] = field(default_factory=dict[float, float], init=False)
    _pace: Pace | None = field(default=None, init=False)

    def answered(self, outcome: Outcome, /) -> None:
        """Put aside what a request cost, by the day that it began in."""
        cost_usd = outcome.answer.evidence.cost_usd
        if cost_usd:
            day_s = outcome.created_at // DAY_S * DAY_S
            self._uncounted[day_s] = self._uncounted.get(day_s, 0.0) + cost_usd

    def refused(self, _status: int, _code: str, /) -> None:
        """Costs nothing."""

    async def step(self, service: Service) -> None:
        """Count, and turn the dial of a service. Raises `Unready` where that cannot be done."""
        now_s = self.clock()
        await self._count(now_s)
        today = daily(ALL, "usd", now_s)
        spent_usd = (await self.meter.read((today,), now_s=now_s))[0].used
        if self._pace is None:
            weight = service.objective.quality_weight
            self._pace = Pace(weight=weight, at_s=now_s, spent_usd=spent_usd)
            return
        day = Day(ends_s=today.ends_s, budget_usd=self.budget_usd)
        self._pace = paced(self._pace, spent_usd=spent_usd, now_s=now_s, day=day)
        service.objective = replace(service.objective, quality_weight=self._pace.weight)

    async def _count(self, now_s: float) -> None:
        while self._uncounted:
            day_s, usd = self._uncounted.popitem()
            charge = Charge(counter=daily(ALL, "usd", day_s), amount=usd)
            try:
                await self.meter.settle(None, (charge,), now_s=now_s)
            except Unready:
                self._uncounted[day_s] = self._uncounted.get(day_s, 0.0) + usd
                raise

    async def run(self, service: Service) -> None:
        """Step now and then, for ever."""
        while True:
            try:
                await self.step(service)
            except Unready as error:
                _log.warning("the day's spending cannot be paced for now: %s", error)
            await asyncio.sleep(EVERY_S)


def pacer_of(config: Config, keys: KeyRing) -> Pacer | None:
    """What turns the dial; None where the config sets no budget for the day."""
    budget_usd = config.objective.budget_usd_per_day
    return None if budget_usd is None else Pacer(budget_usd=budget_usd, meter=keys.meter)


@asynccontextmanager
async def pacing(pacer: Pacer | None, service: Service) -> AsyncGenerator[None, None]:
    """While inside, the dial is turned; what is not counted yet is counted on leaving."""
    if pacer is None:
        yield
        return
    running = asyncio.ensure_future(pacer.run(service))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        try:
            await pacer.step(service)
        except Unready as error:
            _log.warning("what was spent last is not counted: %s", error)
