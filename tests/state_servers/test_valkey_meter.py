"""Counters in a real Valkey or Redis hold the same contract as those in a file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tests.state_servers.servers import ValkeyServer

from emafusion.domain.errors import BadInput
from emafusion.store.errors import StoreError
from emafusion.store.keys.ports import Charge, Counter
from emafusion.testing.key_checks import check_meter

pytest.importorskip("valkey", reason="needs the extra `valkey`")

from emafusion.store.valkey.link import checked_url, open_client
from emafusion.store.valkey.meter import ValkeyMeter

USD = Counter(name="usd")


@pytest.fixture
async def meters(valkey_server: ValkeyServer) -> AsyncIterator[tuple[ValkeyMeter, ValkeyMeter]]:
    """Two gateways on one server."""
    url = checked_url(valkey_server.url, where="EMA_VALKEY")
    one, two = ValkeyMeter(open_client(url)), ValkeyMeter(open_client(url))
    await one._client.flushall()
    yield one, two
    await one.close()
    await two.close()


async def test_it_holds_the_contract_across_replicas(
    meters: tuple[ValkeyMeter, ValkeyMeter],
) -> None:
    """As any meter, with another replica at the same counters."""
    await check_meter(*meters)


async def test_a_hundred_at_once_do_not_pass_a_limit(
    meters: tuple[ValkeyMeter, ValkeyMeter],
) -> None:
    """More than there are connections: some wait for one, nobody fails."""
    charges = (Charge(counter=USD, amount=0.1, limit=2.0),)
    got = await asyncio.gather(
        *(meters[n % 2].reserve(f"h{n}", charges, now_s=0.0, until_s=60.0) for n in range(100))
    )
    assert sum(each.refused is None for each in got) == 20


async def test_nothing_is_kept_for_ever_but_what_has_no_end(
    meters: tuple[ValkeyMeter, ValkeyMeter],
) -> None:
    """Every key of a window has a time to go."""
    now = time.time()
    minute = Counter(name="m", starts_s=now // 60 * 60, ends_s=now // 60 * 60 + 60, sliding=True)
    charges = (Charge(counter=minute, amount=1.0, limit=5.0),)
    await meters[0].reserve("one", charges, now_s=now, until_s=now + 60)
    await meters[0].settle("one", charges, now_s=now)
    await meters[0].reserve("two", charges, now_s=now, until_s=now + 60)
    keys = await meters[0]._client.keys("*")
    assert len(keys) == 3
    assert all([await meters[0]._client.ttl(key) > 0 for key in keys])


async def test_a_server_that_hangs_is_given_up_and_comes_back(
    meters: tuple[ValkeyMeter, ValkeyMeter], valkey_server: ValkeyServer
) -> None:
    """Within a second, as one line."""
    await meters[0].read((USD,), now_s=0.0)
    valkey_server.freeze()
    try:
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"^Valkey: cannot read a limit: \w"):
            await meters[0].read((USD,), now_s=0.0)
        assert time.monotonic() - started < 1.5
    finally:
        valkey_server.thaw()
    await meters[0].read((USD,), now_s=0.0)


async def test_a_server_that_is_gone_is_told_and_asked_anew(
    meters: tuple[ValkeyMeter, ValkeyMeter], valkey_server: ValkeyServer
) -> None:
    """At once; the scripts are given to the new one."""
    await meters[0].read((USD,), now_s=0.0)
    valkey_server.stop()
    try:
        with pytest.raises(StoreError, match=r"^Valkey: cannot read a limit: \w"):
            await meters[0].read((USD,), now_s=0.0)
    finally:
        valkey_server.start()
    await meters[0].read((USD,), now_s=0.0)


async def test_a_wrong_password_is_told_without_it(valkey_server: ValkeyServer) -> None:
    """One line."""
    meter = ValkeyMeter(open_client(valkey_server.url.replace("made-up-word", "other-word")))
    with pytest.raises(StoreError, match="Valkey: cannot read a limit") as refused:
        await meter.read((USD,), now_s=0.0)
    assert "other-word" not in str(refused.value)
    await meter.close()


@pytest.mark.parametrize("wrong", ["", "secret", "http://secret@h", "redis://h:secret"])
def test_what_is_no_url_is_refused_and_not_shown(wrong: str) -> None:
    """The message names the variable, never what is in it."""
    with pytest.raises(BadInput, match="EMA_VALKEY: is no address such as") as refused:
        checked_url(wrong, where="EMA_VALKEY")
    assert "secret" not in str(refused.value)
