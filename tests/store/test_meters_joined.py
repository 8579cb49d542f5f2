"""Two meters as one: what is short-lived in one place, money in another."""

from __future__ import annotations

from emafusion.store.keys.memory import MemoryMeter
from emafusion.store.keys.ports import Charge, Counter
from emafusion.store.meter_split import SplitMeter
from emafusion.testing.key_checks import check_meter

USD, MINUTE = Counter(name="k/usd/day"), Counter(name="k/requests/minute")


def charge(counter: Counter, amount: float, limit: float = 1.0) -> Charge:
    """So much of a counter."""
    return Charge(counter=counter, amount=amount, limit=limit)


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
