"""Limits without a network: what is held and settled, and what when counters cannot be used."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from typing_extensions import override

from emafusion.domain.errors import Denied, Unready
from emafusion.gateway.admission import Admission
from emafusion.gateway.admission_charges import Spent, days_of_month, money
from emafusion.gateway.admission_need import Need
from emafusion.gateway.admission_refusal import OutOfBudget, OutOfRate
from emafusion.gateway.admission_steady import SteadyMeter
from emafusion.gateway.admission_telling import wait_s
from emafusion.gateway.keys import Keys, Unsure, make_keys
from emafusion.store.errors import StoreError
from emafusion.store.keys.key import Budget, Key, Period
from emafusion.store.keys.memory import MemoryKeyStore, MemoryMeter
from emafusion.store.keys.ports import Charge, Counter, Level, Reservation
from emafusion.store.keys.secret import digest_of, is_secret, new_secret
from emafusion.testing import check_meter

NOON_S = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
KEY = Key(id="key_1", name="ci", budgets=(Budget(usd=1.0, period="day"),))


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = NOON_S

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now_s


class Broken(MemoryMeter):
    """A meter whose place can be gone."""

    is_gone = False

    @override
    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        self._refuse()
        return await super().reserve(hold, charges, now_s=now_s, until_s=until_s)

    @override
    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        self._refuse()
        return await super().settle(hold, spent, now_s=now_s)

    @override
    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        self._refuse()
        return await super().read(counters, now_s=now_s)

    def _refuse(self) -> None:
        if self.is_gone:
            raise StoreError("keys.sqlite: cannot use the keys: disk full")


def need(usd: float = 0.0, tokens: int = 0) -> Need:
    """What a request may take."""
    return Need(usd=usd, tokens=tokens)


async def test_a_steady_meter_is_a_meter() -> None:
    """As long as nothing is wrong."""
    clock = Clock()
    await check_meter(SteadyMeter(MemoryMeter(), clock))


async def test_limits_hold_while_counters_cannot_be_used() -> None:
    """By what was last seen; and what was spent meanwhile is counted when they can be again."""
    clock, meter = Clock(), Broken()
    admission = Admission(meter=(steady := SteadyMeter(meter, clock)), clock=clock)
    first = await admission.hold(KEY, need(0.5), name="a", within_s=10)
    await admission.settle(first, Spent(usd=0.5))
    under_way = await admission.hold(KEY, need(0.1), name="b", within_s=10)

    meter.is_gone = True
    third = await admission.hold(KEY, need(0.3), name="c", within_s=10)
    assert "disk full" in str(steady.trouble)
    with pytest.raises(OutOfRate):  # there will be room when the other is over
        await admission.hold(KEY, need(0.2), name="d", within_s=10)
    await admission.settle(under_way, Spent(usd=0.1))
    await admission.settle(third, Spent(usd=0.2))
    with pytest.raises(OutOfBudget):
        await admission.hold(KEY, need(0.4), name="e", within_s=10)

    meter.is_gone = False
    clock.now_s += 6.0
    last = await admission.hold(KEY, need(0.1), name="f", within_s=10)
    await admission.settle(last, Spent(usd=0.1))
    assert str(steady.trouble) == "None"
    level = (await meter.read((money("key_1", "day", NOON_S),), now_s=clock.now_s))[0]
    assert level.used == pytest.approx(0.9)
    assert level.held == 0.0


async def test_a_place_that_is_gone_is_not_asked_by_every_request() -> None:
    """Each would wait for it: it is tried again after seconds."""
    clock, meter = Clock(), Broken()
    meter.is_gone = True
    steady = SteadyMeter(meter, clock)
    admission = Admission(meter=steady, clock=clock)
    await admission.hold(KEY, need(0.1), name="a", within_s=10)
    meter.is_gone = False
    await admission.hold(KEY, need(0.1), name="b", within_s=10)
    assert steady.trouble is not None


async def test_a_caller_who_leaves_while_it_is_held_holds_nothing() -> None:
    """However long the place took."""
    clock, meter = Clock(), MemoryMeter()

    class Slow(MemoryMeter):
        @override
        async def reserve(
            self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
        ) -> Reservation:
            await asyncio.sleep(0.02)
            return await meter.reserve(hold, charges, now_s=now_s, until_s=until_s)

        @override
        async def settle(
            self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float
        ) -> bool:
            return await meter.settle(hold, spent, now_s=now_s)

    admission = Admission(meter=Slow(), clock=clock)
    asking = asyncio.ensure_future(admission.hold(KEY, need(0.9), name="a", within_s=10))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await admission.hold(KEY, need(0.9), name="b", within_s=10)).name == "b"


async def test_what_is_settled_late_counts_where_it_was_held() -> None:
    """A request that goes on past midnight is of the day that it began in."""
    clock, meter = Clock(), MemoryMeter()
    admission = Admission(meter=meter, clock=clock)
    hold = await admission.hold(KEY, need(0.5), name="a", within_s=86_400)
    clock.now_s += 14 * 3600
    await admission.settle(hold, Spent(usd=0.4))
    days = tuple(money("key_1", "day", at_s) for at_s in (NOON_S, clock.now_s))
    assert [level.used for level in await meter.read(days, now_s=clock.now_s)] == [0.4, 0.0]


async def test_a_budget_begins_anew_with_its_period() -> None:
    """Day, week and month of the calendar, in UTC; `total` never."""
    periods: tuple[Period, ...] = ("day", "week", "month", "total")
    for period, days in zip(periods, (1, 5, 6, 4000), strict=True):
        clock = Clock()
        admission = Admission(meter=MemoryMeter(), clock=clock)
        key = replace(KEY, budgets=(Budget(usd=1.0, period=period),))
        await admission.settle(
            await admission.hold(key, need(1.0), name="a", within_s=9), Spent(usd=1.0)
        )
        with pytest.raises(OutOfBudget) as caught:
            await admission.hold(key, need(0.01), name="b", within_s=9)
        assert ("retry-after" in dict(caught.value.headers)) == (period != "total")
        clock.now_s = NOON_S // 86_400 * 86_400 + days * 86_400
        if period == "total":
            with pytest.raises(OutOfBudget):
                await admission.hold(key, need(0.01), name="c", within_s=9)
        else:
            clock.now_s -= 1.0
            with pytest.raises(OutOfBudget):
                await admission.hold(key, need(0.01), name="c", within_s=9)
            clock.now_s += 1.0
            await admission.hold(key, need(0.01), name="d", within_s=9)


async def test_waiting_as_long_as_told_is_enough() -> None:
    """And a second less is not."""
    clock = Clock()
    admission = Admission(meter=MemoryMeter(), clock=clock)
    key = Key(id="key_1", name="ci", requests_per_minute=5)
    for i in range(5):
        hold = await admission.hold(key, need(), name=f"a{i}", within_s=9)
        await admission.settle(hold, Spent())
        clock.now_s += 7.0
    with pytest.raises(OutOfRate) as caught:
        await admission.hold(key, need(), name="b", within_s=9)
    told = int(dict(caught.value.headers)["retry-after"])
    clock.now_s += told - 1.0
    with pytest.raises(OutOfRate):
        await admission.hold(key, need(), name="c", within_s=9)
    clock.now_s += 1.0
    await admission.hold(key, need(), name="d", within_s=9)


@settings(deadline=None)
@given(
    amount=st.integers(1, 50),
    limit=st.integers(50, 100),
    here=st.integers(0, 100),
    before=st.integers(0, 100),
    at=st.floats(0.0, 59.0),
)
def test_the_wait_that_is_told_is_right(
    amount: int, limit: int, here: int, before: int, at: float
) -> None:
    """After it there is room in the sliding window, just before it there is none."""
    minute = Counter(name="n", starts_s=0.0, ends_s=60.0, sliding=True)
    charge = Charge(counter=minute, amount=amount, limit=limit)

    def room(now_s: float) -> float:
        if now_s < 60.0:
            return limit - here - before * (1.0 - now_s / 60.0)
        return limit - here * max(1.0 - (now_s - 60.0) / 60.0, 0.0)

    wait = wait_s(charge, here, before, now_s=at)
    assert wait >= 0.0
    assert room(at + wait) >= amount - 1e-6
    if wait > 1e-3:
        assert room(at + wait - 1e-3) < amount + 1e-6


def test_days_of_a_month_are_whole() -> None:
    """From the first to today."""
    days = days_of_month("key_1", "usd", NOON_S)
    assert len(days) == 25
    assert days[-1].starts_s <= NOON_S < days[-1].ends_s


def test_a_typing_mistake_is_no_secret() -> None:
    """Whatever one character is put in another's place."""
    secret = new_secret()
    assert is_secret(secret)
    for i, old in enumerate(secret):
        for new in "a0Z":
            assert new == old or not is_secret(secret[:i] + new + secret[i + 1 :])


async def _known(keys: Keys, secret: str) -> Key | None:
    found = keys.check({"x-api-key": secret})
    return await keys.look_up(found) if isinstance(found, Unsure) else found


class Gone(MemoryKeyStore):
    """A key store whose place can be gone; counts how often it is asked."""

    is_gone = False
    asked = 0

    @override
    async def find(self, digest: bytes, /, *, now_s: float) -> Key | None:
        Gone.asked += 1
        await asyncio.sleep(0)
        if self.is_gone:
            raise StoreError("gone")
        return await super().find(digest, now_s=now_s)


async def test_keys_are_looked_up_once_a_second() -> None:
    """Twice at most, however many ask at once; and those that are no keys never."""
    clock, store, secret = Clock(), Gone(), new_secret()
    await store.make(KEY, digest_of(secret))
    keys = make_keys((), store=store, required=True)
    keys.clock = clock
    Gone.asked = 0
    found = await asyncio.gather(*(_known(keys, secret) for _ in range(20)))
    assert set(found) == {KEY}
    assert Gone.asked == 1
    for _ in range(20):
        assert keys.check({"x-api-key": secret}) == KEY
        with pytest.raises(Denied):
            keys.check({"x-api-key": secret[:-1] + "!"})
        with pytest.raises(Denied):
            keys.check({"authorization": "Bearer sk-of-another"})
    assert Gone.asked == 1
    unknown = new_secret()
    for _ in range(3):
        with pytest.raises(Denied):
            await _known(keys, unknown)
    assert Gone.asked == 2


async def test_a_store_that_is_gone_locks_out_nobody_known() -> None:
    """For minutes; whoever is not known is told to come again."""
    clock, store, secret = Clock(), Gone(), new_secret()
    await store.make(KEY, digest_of(secret))
    keys = make_keys((), store=store, required=True)
    keys.clock = clock
    assert await _known(keys, secret) == KEY
    store.is_gone = True
    clock.now_s += 200.0
    assert await _known(keys, secret) == KEY
    with pytest.raises(Unready, match="cannot be read at the moment"):
        await _known(keys, new_secret())
    clock.now_s += 101.0
    with pytest.raises(Unready, match="cannot be read at the moment"):
        await _known(keys, secret)


async def test_many_unknown_keys_fill_no_memory() -> None:
    """The oldest are forgotten."""
    keys = make_keys((), store=MemoryKeyStore(), required=True)
    for i in range(10_050):
        with pytest.raises(Denied):
            await keys.look_up(Unsure(i.to_bytes(32, "big")))
    assert len(keys._seen) == 10_000
