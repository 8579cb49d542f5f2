"""A meter that goes on where its place cannot be used: locked, full, gone, unreachable.

A fault of book-keeping must not become an outage, nor a way around every limit. So each process
then holds the limits by itself, from the levels that were last seen, and what was spent meanwhile
is counted when the place is back. Nothing is silent: it is logged, and `/ready` says so.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from math import inf

from emafusion.domain.errors import Unready
from emafusion.store.keys.memory import MemoryMeter
from emafusion.store.keys.ports import Charge, Counter, Level, Meter, Reservation

RETRY_AFTER_S = 5.0
"""Seconds until the place is tried again."""

MOST_KNOWN = 20_000
"""Levels remembered; and what is owed at most."""

_log = logging.getLogger("emafusion")


class SteadyMeter:
    """A `Meter` that never fails. `trouble`: why the other one cannot be used, None where it can.

    `lost`: how many requests could not be counted and never will be.
    """

    def __init__(self, meter: Meter, clock: Callable[[], float]) -> None:
        self.trouble: str | None = None
        self.lost = 0
        self._meter = meter
        self._clock = clock
        self._own = MemoryMeter()
        self._retry_s = 0.0
        self._mine: set[str | None] = set()
        self._known: OrderedDict[Counter, Level] = OrderedDict()
        self._seeded: set[Counter] = set()
        self._owed: OrderedDict[str, tuple[Charge, ...]] = OrderedDict()
        self._spent: dict[Counter, float] = {}

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit."""
        if self._is_usable():
            try:
                got = await self._meter.reserve(hold, charges, now_s=now_s, until_s=until_s)
            except Unready as error:
                self._fail(error)
            else:
                self._note([charge.counter for charge in charges], got.levels)
                await self._recover(now_s)
                return got
        await self._seed(charges, now_s)
        got = await self._own.reserve(hold, charges, now_s=now_s, until_s=until_s)
        if got.refused is None:
            self._mine.add(hold)
        return got

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent, now or when it can be."""
        if hold in self._mine:
            self._mine.discard(hold)
            await self._own.settle(hold, spent, now_s=now_s)
            hold = None  # the other meter knows nothing of it
        if self._is_usable():
            try:
                done = await self._meter.settle(hold, spent, now_s=now_s)
            except Unready as error:
                self._fail(error)
            else:
                await self._recover(now_s)
                return done
        self._owe(hold, spent)
        return True

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand, as far as is known."""
        if self._is_usable():
            try:
                return await self._meter.read(counters, now_s=now_s)
            except Unready as error:
                self._fail(error)
        return await self._own.read(counters, now_s=now_s)

    async def close(self) -> None:
        """Count what is owed, if that can be done, and let go."""
        self._retry_s = 0.0
        await self._recover(self._clock())
        self.lost += len(self._owed)
        await self._meter.close()

    def _is_usable(self) -> bool:
        return self.trouble is None or self._clock() >= self._retry_s

    def _fail(self, error: Unready) -> None:
        if self.trouble is None:
            _log.error("limits of keys are held by this process alone for now: %s", error)
        self.trouble = str(error)
        self._retry_s = self._clock() + RETRY_AFTER_S

    def _note(self, counters: Sequence[Counter], levels: Sequence[Level]) -> None:
        for counter, level in zip(counters, levels, strict=True):
            self._known[counter] = level
            self._known.move_to_end(counter)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    async def _seed(self, charges: tuple[Charge, ...], now_s: float) -> None:
        """Begin with what was last known of these counters."""
        for counter in (charge.counter for charge in charges):
            if counter not in self._seeded:
                self._seeded = {each for each in self._seeded if each.forget_s >= now_s}
                self._seeded.add(counter)
                level = self._known.get(counter, Level())
                if level.used > 0.0 or counter.ends_s < inf:  # else those at once, who will go
                    known = Charge(counter=counter, amount=level.taken)
                    await self._own.settle(None, (known,), now_s=now_s)

    def _owe(self, hold: str | None, spent: tuple[Charge, ...]) -> None:
        if hold is None:
            self._add(spent)
            return
        self._owed[hold] = spent
        if len(self._owed) > MOST_KNOWN:
            self._owed.popitem(last=False)
            self.lost += 1

    def _add(self, spent: tuple[Charge, ...]) -> None:
        for charge in spent:
            self._spent[charge.counter] = self._spent.get(charge.counter, 0.0) + charge.amount
        if len(self._spent) > MOST_KNOWN:  # minutes that are long over, most of them
            now_s = self._clock()
            self._spent = {each: n for each, n in self._spent.items() if each.forget_s >= now_s}

    async def _recover(self, now_s: float) -> None:
        """The place can be used again: count there what was spent without it."""
        if self.trouble is None:
            return
        try:
            await self._pay(now_s)
        except Unready as error:
            self._fail(error)
            return
        self.trouble = None
        self._own, self._seeded = MemoryMeter(), set()
        _log.warning("limits of keys are shared again; what was spent meanwhile is counted")

    async def _pay(self, now_s: float) -> None:
        spent, self._spent = self._spent, {}
        sums = tuple(Charge(counter=counter, amount=usd) for counter, usd in spent.items())
        try:
            if sums:
                await self._meter.settle(None, sums, now_s=now_s)
        except Unready:
            self._add(sums)
            raise
        while self._owed:
            hold, charges = next(iter(self._owed.items()))
            await self._meter.settle(hold, charges, now_s=now_s)
            self._owed.pop(hold, None)
