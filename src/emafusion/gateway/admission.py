"""Limits of a key, held before a request is answered and settled when it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct

from emafusion.gateway.admission_charges import Spent, charges, limits
from emafusion.gateway.admission_misjudged import Misjudged
from emafusion.gateway.admission_need import Need
from emafusion.gateway.admission_refusing import refusal
from emafusion.gateway.admission_steady import SteadyMeter
from emafusion.gateway.admission_telling import rate_headers
from emafusion.gateway.http import Headers
from emafusion.gateway.names import FUSION
from emafusion.gateway.unbroken import unbroken
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import Meter

GRACE_S = 60.0
"""Seconds after its deadline that what is held for a request counts although nobody settled it,
which only happens where its process died."""


class Hold(Struct, frozen=True, kw_only=True, eq=False):
    """What is held for one request. `name`: None where nothing had to be; `at_s`: Unix seconds.

    `headers`: what the client is told of its limits.
    """

    key: Key
    need: Need
    name: str | None
    at_s: float
    headers: Headers = ()


@dataclass(slots=True, kw_only=True, eq=False)
class Admission:
    """Holds and settles. `clock`: Unix seconds.

    `looks`, `fused`: answers asked for a query at most, and where fusion is asked for; `misjudged`:
    whose requests take more than is estimated.
    """

    meter: Meter
    looks: int = 4
    fused: int = 3
    clock: Callable[[], float] = time.time
    misjudged: Misjudged = field(default_factory=Misjudged)

    @property
    def is_shared(self) -> bool:
        """Whether the counters can be used, so that all processes hold limits together."""
        return not isinstance(self.meter, SteadyMeter) or self.meter.trouble is None

    def looks_for(self, requested: str) -> int:
        """Answers that may be asked for a query to this model name."""
        return max(self.looks, self.fused) if requested == FUSION else self.looks

    async def hold(self, key: Key, need: Need, *, name: str, within_s: float) -> Hold:
        """Hold what a request may take; `name`: never used before, `within_s`: its deadline.

        Raises `OutOfRate` or `OutOfBudget`; then nothing is held.
        """
        now_s = self.clock()
        wanted = limits(key, self.misjudged.raised(key.id, need), now_s)
        if not wanted:
            return Hold(key=key, need=need, name=None, at_s=now_s)
        got, has_left = await unbroken(
            self.meter.reserve(
                name,
                tuple(limit.charge for limit in wanted),
                now_s=now_s,
                until_s=now_s + within_s + GRACE_S,
            )
        )
        if has_left:  # nobody is there who would settle it
            await unbroken(self.meter.settle(name, (), now_s=now_s))
            raise asyncio.CancelledError
        headers = rate_headers(wanted, got.levels, now_s)
        if got.refused is not None:
            limit, level = wanted[got.refused], got.levels[got.refused]
            raise await refusal(limit, level, headers=headers, now_s=now_s, meter=self.meter)
        return Hold(key=key, need=need, name=name, at_s=now_s, headers=headers)

    async def settle(self, hold: Hold, spent: Spent) -> None:
        """Count what a request took, in the windows that it was held in."""
        if not spent.is_estimate:
            self.misjudged.note(hold.key.id, hold.need, spent)
        counted = charges(hold.key, spent, hold.at_s)
        await self.meter.settle(hold.name, counted, now_s=self.clock())

    async def release(self, hold: Hold) -> None:
        """Nothing was done: what is held is free again."""
        if hold.name is not None:
            await self.meter.settle(hold.name, (), now_s=self.clock())
