"""Limits of a key, held before a request is answered and settled when it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf

from msgspec import Struct
from msgspec.structs import replace

from emafusion.gateway.admission_charges import Limit, Spent, charges, limits
from emafusion.gateway.admission_need import Need
from emafusion.gateway.admission_refusal import (
    NO_RETRY,
    OutOfBudget,
    OutOfLimit,
    OutOfRate,
    retry_after,
)
from emafusion.gateway.admission_steady import SteadyMeter
from emafusion.gateway.admission_telling import rate_headers, wait_s
from emafusion.gateway.http import Headers
from emafusion.gateway.names import FUSION
from emafusion.gateway.unbroken import unbroken
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import Level, Meter

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

    `looks`, `fused`: answers asked for a query at most, and where fusion is asked for.
    """

    meter: Meter
    looks: int = 4
    fused: int = 3
    clock: Callable[[], float] = time.time

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
        wanted = limits(key, need, now_s)
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
            raise await self._refusal(limit, level, headers=headers, now_s=now_s)
        return Hold(key=key, need=need, name=name, at_s=now_s, headers=headers)

    async def settle(self, hold: Hold, spent: Spent) -> None:
        """Count what a request took, in the windows that it was held in."""
        counted = charges(hold.key, spent, hold.at_s)
        await self.meter.settle(hold.name, counted, now_s=self.clock())

    async def release(self, hold: Hold) -> None:
        """Nothing was done: what is held is free again."""
        if hold.name is not None:
            await self.meter.settle(hold.name, (), now_s=self.clock())

    async def _refusal(
        self, limit: Limit, level: Level, *, headers: Headers, now_s: float
    ) -> OutOfLimit:
        charge = limit.charge
        if limit.kind == "parallel":
            what = f"{charge.limit:g} requests of this gateway key are under way, its most at once"
            return OutOfRate(what, headers=(*headers, *retry_after(1.0)))
        if limit.kind in {"requests", "tokens"}:
            return await self._rate(limit, headers, now_s)
        return _budget(limit, level, headers=headers, now_s=now_s)

    async def _rate(self, limit: Limit, headers: Headers, now_s: float) -> OutOfRate:
        charge = limit.charge
        if charge.amount > charge.limit:
            what = f"this request may take {charge.amount:,.0f} {limit.kind}, and the gateway key "
            what += f"has {charge.limit:,.0f} a minute: ask for less (max_tokens)"
            return OutOfRate(what, headers=(*headers, *NO_RETRY))
        here = replace(charge.counter, sliding=False)
        pair = await self.meter.read((here, here.before), now_s=now_s)
        seconds = wait_s(charge, pair[0].taken, pair[1].taken, now_s=now_s)
        what = f"the gateway key has {charge.limit:,.0f} {limit.kind} a minute, all taken for now"
        told = (*headers, *retry_after(seconds))
        return OutOfRate(f"{what}; try again in {ceil(seconds)} s", headers=told)


def _budget(limit: Limit, level: Level, *, headers: Headers, now_s: float) -> OutOfLimit:
    charge = limit.charge
    left, period = max(charge.limit - level.used, 0.0), limit.kind
    whole = f"the gateway key's budget of {charge.limit:g} US dollars"
    whole += " in all" if period == "total" else f" a {period}"
    if charge.amount <= left:
        what = f"what is left of {whole} is held by requests under way; try again in a moment"
        return OutOfRate(what, headers=(*headers, *retry_after(2.0)))
    ends_s = charge.counter.ends_s
    if level.used >= charge.limit:
        what = f"{whole} is spent"
    else:
        what = f"{left:.4g} is left of {whole}, and this request may cost {charge.amount:.4g}"
    told = retry_after(ends_s - now_s) if ends_s < inf else ()
    return OutOfBudget(what, headers=(*headers, *told, *NO_RETRY))
