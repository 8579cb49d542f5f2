"""Contracts of whatever keeps gateway keys and counts what they spend."""

from __future__ import annotations

import asyncio
import secrets
from math import isclose

from emafusion.domain.errors import BadInput
from emafusion.store.keys.key import Budget, Key
from emafusion.store.keys.ports import Charge, Counter, KeyStore, Level, Meter

NOON_S = 1_800_000_000.0


async def check_key_store(store: KeyStore) -> None:
    """A key store finds keys by digest, keeps revoked ones ended, and lets no two have one name."""
    key, digest = _key("a"), secrets.token_bytes(32)
    await store.make(key, digest)
    assert await store.find(digest, now_s=NOON_S) == key, "a key is found by its digest, whole"
    assert await store.get(key.id) == key, "and by its id"
    assert key in await store.list_all(), "and in the list"
    assert await store.find(secrets.token_bytes(32), now_s=NOON_S) is None, "another is not there"
    assert await store.get("nobody") is None
    await _check_names(store, key)
    await _check_edit(store, key)
    await _check_rotation(store, key, digest)
    await _check_odd(store)


async def _check_names(store: KeyStore, key: Key) -> None:
    refused = await _refused(store, _key(key.name))
    assert refused is not None, "two keys have one name"
    assert refused.where == "name", "the error names what is taken"
    twin = _key("b")
    await store.make(twin, secrets.token_bytes(32))
    assert await store.revoke(twin.id, now_s=NOON_S)
    again = Key(id=secrets.token_hex(6), name=twin.name, created_at=NOON_S)
    await store.make(again, secrets.token_bytes(32))
    assert await store.get(again.id) == again, "the name of a revoked key is free"


async def _refused(store: KeyStore, key: Key) -> BadInput | None:
    try:
        await store.make(key, secrets.token_bytes(32))
    except BadInput as error:
        return error
    return None


async def _check_edit(store: KeyStore, key: Key) -> None:
    changed = Key(id=key.id, name=f"{key.name}-2", enabled=False, created_at=1.0, revoked_at=5.0)
    assert await store.edit(changed), "a key that is there can be edited"
    found = await store.get(key.id)
    assert found is not None
    assert (found.name, found.enabled) == (changed.name, False), "settings are replaced"
    assert found.created_at == key.created_at, "when it was made stays"
    assert found.revoked_at is None, "editing does not revoke"
    assert not await store.edit(Key(id="nobody", name="nobody")), "nobody cannot be edited"


async def _check_rotation(store: KeyStore, key: Key, digest: bytes) -> None:
    fresh, later = secrets.token_bytes(32), NOON_S + 60.0
    assert await store.rotate(key.id, fresh, old_until_s=later)
    for each in (digest, fresh):
        assert await store.find(each, now_s=NOON_S) is not None, "both secrets hold for a while"
    assert await store.find(digest, now_s=later) is None, "then only the new one"
    assert await store.find(fresh, now_s=later) is not None
    last = secrets.token_bytes(32)
    assert await store.rotate(key.id, last, old_until_s=NOON_S + 3600.0)
    assert await store.find(digest, now_s=later) is None, "rotating does not bring it back"
    assert await store.revoke(key.id, now_s=NOON_S)
    found = await store.find(last, now_s=NOON_S)
    assert found is not None
    assert found.revoked_at == NOON_S, "a revoked key is found, as what it is"
    assert not await store.revoke(key.id, now_s=NOON_S + 9.0), "revoking twice does nothing"
    assert not await store.rotate(key.id, secrets.token_bytes(32), old_until_s=later)
    assert not await store.edit(_key("c", key_id=key.id)), "nor is it edited back to life"
    assert not await store.rotate("nobody", secrets.token_bytes(32), old_until_s=later)


async def _check_odd(store: KeyStore) -> None:
    name = f"x'; DROP TABLE keys; -- \u202e\U0001f511 {secrets.token_hex(4)}"
    odd, digest = Key(id=secrets.token_hex(6), name=name), secrets.token_bytes(32)
    await store.make(odd, digest)
    assert await store.find(digest, now_s=NOON_S) == odd, "any name is kept as it is"
    for text in ("' OR '1'='1", "", "\x00", "%"):
        assert await store.get(text) is None, "an id is never read as a question"


def _key(name: str, *, key_id: str | None = None) -> Key:
    unique = secrets.token_hex(6)
    return Key(
        id=key_id or unique,
        name=name if len(name) > 1 else f"{name}-{unique}",
        models=("cheap", "dear"),
        quality_weight=0.4,
        lowest_weight=0.1,
        highest_weight=0.9,
        budgets=(Budget(usd=1.5, period="day"), Budget(usd=20.0, period="total")),
        requests_per_minute=60,
        tokens_per_minute=10_000,
        max_parallel=4,
        tags=(("team", "search"),),
        created_at=NOON_S - 1000.0,
        expires_at=NOON_S + 86_400.0,
    )


async def check_meter(meter: Meter, other: Meter | None = None) -> None:
    """A meter never lets more be taken than its limit, counts once, and forgets dead holds.

    `other`: a second one over the same counters, as another process would have it.
    """
    await _check_limit(meter, other or meter)
    await _check_all_or_none(meter)
    await _check_dead(meter)
    await _check_windows(meter)
    await _check_sliding(meter)
    await _check_many(meter, other or meter)


async def _check_limit(meter: Meter, other: Meter) -> None:
    usd, now_s = _counter(), NOON_S
    first, second = _name(), _name()
    got = await meter.reserve(first, (_charge(usd, 0.6),), now_s=now_s, until_s=now_s + 60)
    assert got.refused is None, "what fits is reserved"
    assert _near(got.levels[0], used=0.0, held=0.6), "and the level after it is told"
    got = await other.reserve(second, (_charge(usd, 0.6),), now_s=now_s, until_s=now_s + 60)
    assert got.refused == 0, "what would pass the limit is refused"
    assert _near(got.levels[0], used=0.0, held=0.6), "and changes nothing"
    assert await other.settle(first, (_charge(usd, 0.25),), now_s=now_s), "a hold is settled"
    assert not await meter.settle(first, (_charge(usd, 0.25),), now_s=now_s), "once, not twice"
    assert not await meter.settle(second, (_charge(usd, 0.1),), now_s=now_s), "nor if refused"
    assert _near((await meter.read((usd,), now_s=now_s))[0], used=0.25, held=0.0)
    await meter.settle(None, (_charge(usd, 1.5),), now_s=now_s)
    assert _near((await other.read((usd,), now_s=now_s))[0], used=1.75, held=0.0), (
        "what is spent is counted, beyond the limit too"
    )


async def _check_all_or_none(meter: Meter) -> None:
    money, requests = _counter(), _counter()
    hold, now_s = _name(), NOON_S
    both = (_charge(money, 0.5), Charge(counter=requests, amount=2.0, limit=1.0))
    got = await meter.reserve(hold, both, now_s=now_s, until_s=now_s + 60)
    assert got.refused == 1, "the first that does not fit is named"
    assert len(got.levels) == len(both), "levels of all are told"
    for level in await meter.read((money, requests), now_s=now_s):
        assert _near(level, used=0.0, held=0.0), "all or none"
    assert not await meter.settle(hold, (_charge(money, 0.5),), now_s=now_s)


async def _check_dead(meter: Meter) -> None:
    usd, hold = _counter(), _name()
    await meter.reserve(hold, (_charge(usd, 0.9),), now_s=NOON_S, until_s=NOON_S + 60)
    later = NOON_S + 60.5
    got = await meter.reserve(_name(), (_charge(usd, 0.9),), now_s=later, until_s=later + 60)
    assert got.refused is None, "a hold that nobody settled ends at its time"
    assert await meter.settle(hold, (_charge(usd, 0.3),), now_s=later), "and is settled late"
    assert _near((await meter.read((usd,), now_s=later))[0], used=0.3, held=0.9)


async def _check_windows(meter: Meter) -> None:
    name, day_s = _name(), 86_400.0
    today = Counter(name=name, starts_s=NOON_S, ends_s=NOON_S + day_s, keep_s=day_s)
    tomorrow = Counter(name=name, starts_s=NOON_S + day_s, ends_s=NOON_S + 2 * day_s)
    await meter.settle(None, (_charge(today, 0.75),), now_s=NOON_S)
    levels = await meter.read((today, tomorrow), now_s=NOON_S)
    assert _near(levels[0], used=0.75, held=0.0), "each window counts alone"
    assert _near(levels[1], used=0.0, held=0.0), "each window counts alone"
    late = NOON_S + 1.5 * day_s
    await meter.reserve(_name(), (_charge(tomorrow, 0.1),), now_s=late, until_s=late + 60)
    assert _near((await meter.read((today,), now_s=late))[0], used=0.75, held=0.0), (
        "a window is readable for keep_s after its end"
    )


async def _check_sliding(meter: Meter) -> None:
    name = _name()
    minute = Counter(name=name, starts_s=NOON_S, ends_s=NOON_S + 60, sliding=True)
    after = Counter(name=name, starts_s=NOON_S + 60, ends_s=NOON_S + 120, sliding=True)
    await meter.settle(None, (_charge(minute, 8.0),), now_s=NOON_S + 59)
    late = NOON_S + 75.0
    assert _near((await meter.read((after,), now_s=late))[0], used=6.0, held=0.0), (
        "three quarters of the minute before are less than a minute ago"
    )
    charge = Charge(counter=after, amount=4.0, limit=10.0)
    got = await meter.reserve(_name(), (charge,), now_s=late, until_s=late + 60)
    assert got.refused is None
    got = await meter.reserve(_name(), (charge,), now_s=late, until_s=late + 60)
    assert got.refused == 0, "what slides in counts against the limit"


async def _check_many(meter: Meter, other: Meter) -> None:
    usd = _counter()
    charge = Charge(counter=usd, amount=0.1, limit=1.0)
    asked = (
        (meter, other)[i % 2].reserve(_name(), (charge,), now_s=NOON_S, until_s=NOON_S + 60)
        for i in range(40)
    )
    got = await asyncio.gather(*asked)
    assert sum(each.refused is None for each in got) == 10, "however many ask at once"


def _counter() -> Counter:
    return Counter(name=_name())


def _charge(counter: Counter, amount: float) -> Charge:
    return Charge(counter=counter, amount=amount, limit=1.0)


def _name() -> str:
    return f"check/{secrets.token_hex(8)}"


def _near(level: Level, *, used: float, held: float) -> bool:
    return isclose(level.used, used, abs_tol=1e-9) and isclose(level.held, held, abs_tol=1e-9)
