"""Two meters as one, and one that goes on while its server is gone."""

from __future__ import annotations

import pytest
from typing_extensions import override

from emafusion.store.errors import StoreError
from emafusion.store.keys.memory import MemoryMeter
from emafusion.store.keys.ports import Charge, Counter, Level, Reservation
from emafusion.store.meter_enduring import EnduringMeter
from emafusion.store.meter_split import SplitMeter
from emafusion.testing.key_checks import check_meter

USD, MINUTE = Counter(name="k/usd/day"), Counter(name="k/requests/minute")


def charge(counter: Counter, amount: float, limit: float = 1.0) -> Charge:
    """So much of a counter."""
    return Charge(counter=counter, amount=amount, limit=limit)


class Breaking(MemoryMeter):
    """A meter whose server can be gone."""

    gone = False
    asked = 0

    def _look(self) -> None:
        self.asked += 1
        if self.gone:
            raise StoreError("Valkey: cannot hold a limit: gone")

    @override
    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        self._look()
        return await super().reserve(hold, charges, now_s=now_s, until_s=until_s)

    @override
    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        self._look()
        return await super().settle(hold, spent, now_s=now_s)

    @override
    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        self._look()
        return await super().read(counters, now_s=now_s)


class Clock:
    """Time that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


async def test_one_of_two_holds_the_contract() -> None:
    """Also where the counters of one call are in different places."""
    await check_meter(SplitMeter(quick=MemoryMeter(), lasting=MemoryMeter()))
    seen = dict[str, bool]()

    def every_other(counter: Counter) -> bool:
        return seen.setdefault(counter.name, len(seen) % 2 == 0)

    await check_meter(SplitMeter(quick=MemoryMeter(), lasting=MemoryMeter(), is_quick=every_other))


async def test_each_counter_is_where_it_belongs() -> None:
    """Money lasts, minutes are quick; what either refuses, neither holds."""
    quick, lasting = MemoryMeter(), MemoryMeter()
    meter = SplitMeter(quick=quick, lasting=lasting)
    got = await meter.reserve("a", (charge(USD, 0.5), charge(MINUTE, 1.0)), now_s=0.0, until_s=60.0)
    assert [level.held for level in got.levels] == [0.5, 1.0]
    got = await meter.reserve(
        "b", (charge(USD, 0.7), charge(MINUTE, 1.0, 9.0)), now_s=0.0, until_s=60.0
    )
    assert (got.refused, [level.held for level in got.levels]) == (0, [0.5, 2.0])
    assert (await quick.read((MINUTE,), now_s=0.0))[0].held == 1.0
    got = await meter.reserve("c", (charge(USD, 0.1), charge(MINUTE, 1.0)), now_s=0.0, until_s=60.0)
    assert got.refused == 1
    assert await meter.settle("a", (charge(USD, 0.2), charge(MINUTE, 1.0)), now_s=0.0)
    assert not await meter.settle("a", (charge(USD, 0.2),), now_s=0.0)
    levels = await meter.read((MINUTE, USD), now_s=0.0)
    assert [(level.used, level.held) for level in levels] == [(1.0, 0.0), (0.2, 0.0)]


async def test_what_was_held_in_one_is_counted_in_both() -> None:
    """A key with a rate and no budget has its money counted all the same."""
    meter = SplitMeter(quick=MemoryMeter(), lasting=MemoryMeter())
    await meter.reserve("a", (charge(MINUTE, 1.0),), now_s=0.0, until_s=60.0)
    assert await meter.settle("a", (charge(USD, 0.2), charge(MINUTE, 1.0)), now_s=0.0)
    assert [level.used for level in await meter.read((USD, MINUTE), now_s=0.0)] == [0.2, 1.0]


async def test_one_that_endures_holds_the_contract() -> None:
    """While its server is there, and while it is not."""
    await check_meter(EnduringMeter(MemoryMeter()))
    gone = Breaking()
    gone.gone = True
    await check_meter(EnduringMeter(gone))


async def test_an_outage_neither_opens_a_limit_nor_closes_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Counting goes on from what was seen; what was spent is added when the server is back."""
    inner, clock = Breaking(), Clock()
    meter = EnduringMeter(inner, clock=clock)
    await inner.settle(None, (charge(USD, 0.6),), now_s=0.0)
    assert (await meter.reserve("a", (charge(USD, 0.1),), now_s=0.0, until_s=60.0)).refused is None
    inner.gone = True
    got = await meter.reserve("b", (charge(USD, 0.5),), now_s=1.0, until_s=60.0)
    assert got.refused == 0, "0.6 were spent already"
    assert (await meter.reserve("c", (charge(USD, 0.3),), now_s=1.0, until_s=60.0)).refused is None
    assert await meter.settle("a", (charge(USD, 0.05),), now_s=2.0)
    assert await meter.settle("c", (charge(USD, 0.2),), now_s=2.0)
    assert meter.trouble is not None
    inner.gone, clock.now = False, 102.0
    assert (await meter.read((MINUTE,), now_s=3.0))[0].used == 0.0
    await meter.close()
    assert not meter.trouble
    level = (await inner.read((USD,), now_s=3.0))[0]
    assert level.used == pytest.approx(0.85)
    assert level.held == 0.0
    assert "each replica holds limits by what it knows" in caplog.text
    assert "limits are shared again" in caplog.text


async def test_a_server_that_is_gone_is_asked_once_a_second() -> None:
    """A request that comes meanwhile waits for nothing."""
    inner, clock = Breaking(), Clock()
    inner.gone = True
    meter = EnduringMeter(inner, clock=clock)
    for number in range(20):
        await meter.reserve(f"h{number}", (charge(MINUTE, 1.0, 99.0),), now_s=0.0, until_s=60.0)
    assert inner.asked == 1
    clock.now += 1.1
    await meter.read((MINUTE,), now_s=0.0)
    assert inner.asked == 2
