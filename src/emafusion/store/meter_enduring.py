"""A meter that goes on where its server is gone: each replica then holds limits by what it knows.

Nobody is turned away because a server of ours is down, and nobody gets a limit anew because of it:
counting goes on in memory from the last levels that were seen. So with N replicas a limit can be
passed N-fold at worst, for as long as it lasts. What was spent meanwhile is added when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from emafusion.store.errors import StoreError
from emafusion.store.keys.memory import MemoryMeter
from emafusion.store.keys.ports import Charge, Counter, Level, Meter, Reservation

AGAIN_S = 1.0
"""Seconds between tries of a server that is gone; nobody waits for more than one of them."""

MOST = 10_000
"""Counters remembered, and payments owed at most."""

_Place = tuple[str, float]
_log = logging.getLogger("emafusion")


class EnduringMeter:
    """A `Meter` over another that may fail. `trouble`: why that one is not asked, None if it is.

    `lost`: payments that were given up because too many were owed. `clock`: seconds.
    """

    def __init__(self, inner: Meter, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.trouble: str | None = None
        self.lost = 0
        self._inner = inner
        self._clock = clock
        self._again_s = 0.0
        self._known: OrderedDict[_Place, float] = OrderedDict()
        self._alone = MemoryMeter()
        self._seeded = set[_Place]()
        self._held_here = set[str]()
        self._held_there = set[str]()
        self._owed: deque[tuple[str | None, tuple[Charge, ...], float]] = deque()
        self._paying: asyncio.Task[None] | None = None

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit."""
        if self._may_ask():
            try:
                got = await self._inner.reserve(hold, charges, now_s=now_s, until_s=until_s)
            except StoreError as error:
                self._suffer(error)
            else:
                self._recover()
                self._learn(charges, got.levels)
                if got.refused is None:
                    self._held_there.add(hold)
                return got
        await self._seed(tuple(charge.counter for charge in charges), now_s)
        got = await self._alone.reserve(hold, charges, now_s=now_s, until_s=until_s)
        if got.refused is None:
            self._held_here.add(hold)
        return got

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent."""
        if hold in self._held_here:
            self._held_here.discard(hold)
            self._owe(None, spent, now_s)
            return await self._alone.settle(hold, spent, now_s=now_s)
        if self._may_ask():
            try:
                done = await self._inner.settle(hold, spent, now_s=now_s)
            except StoreError as error:
                self._suffer(error)
            else:
                self._recover()
                self._held_there.discard(hold or "")
                return done
        if hold is not None and hold not in self._held_there:
            return False  # it was settled before: whoever holds is also who settles
        self._held_there.discard(hold or "")
        self._owe(hold, spent, now_s)
        await self._alone.settle(None, spent, now_s=now_s)
        return True

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand."""
        if self._may_ask():
            try:
                levels = await self._inner.read(counters, now_s=now_s)
            except StoreError as error:
                self._suffer(error)
            else:
                self._recover()
                return levels
        await self._seed(counters, now_s)
        return await self._alone.read(counters, now_s=now_s)

    async def close(self) -> None:
        """Pay what is owed, if it can be, and close the other one."""
        if self._paying is not None:
            await asyncio.wait((self._paying,))
        elif self._owed:
            await self._pay()
        await self._inner.close()

    def _may_ask(self) -> bool:
        return self.trouble is None or self._clock() >= self._again_s

    def _suffer(self, error: StoreError) -> None:
        if self.trouble is None:
            _log.error("%s; each replica holds limits by what it knows", error)
        self.trouble = str(error)
        self._again_s = self._clock() + AGAIN_S

    def _recover(self) -> None:
        """It answers: pay what is owed, aside."""
        if self.trouble is None:
            return
        _log.warning("limits are shared again, after: %s", self.trouble)
        self.trouble = None
        if self._paying is None:
            self._paying = asyncio.ensure_future(self._pay())

    async def _pay(self) -> None:
        while self._owed:
            hold, spent, now_s = self._owed[0]
            try:
                await self._inner.settle(hold, spent, now_s=now_s)
            except StoreError as error:
                self._suffer(error)
                break
            self._owed.popleft()
        else:
            self._alone = MemoryMeter()
            self._seeded.clear()
        self._paying = None

    def _owe(self, hold: str | None, spent: tuple[Charge, ...], now_s: float) -> None:
        if len(self._owed) >= MOST:
            self.lost += 1
            return
        self._owed.append((hold, spent, now_s))

    def _learn(self, charges: tuple[Charge, ...], levels: tuple[Level, ...]) -> None:
        for charge, level in zip(charges, levels, strict=True):
            place = _place(charge.counter)
            self._known[place] = level.used
            self._known.move_to_end(place)
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    async def _seed(self, counters: tuple[Counter, ...], now_s: float) -> None:
        """Begin to count here from what was seen last."""
        for counter in counters:
            place = _place(counter)
            if place in self._seeded:
                continue
            self._seeded.add(place)
            known = self._known.get(place, 0.0)
            if known > 0.0:
                await self._alone.settle(
                    None, (Charge(counter=counter, amount=known),), now_s=now_s
                )


def _place(counter: Counter) -> _Place:
    return counter.name, counter.starts_s
