"""Keys and counters in a real PostgreSQL hold the same contracts as those in a file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from tests.state_servers.servers import PostgresServer

from emafusion.store.errors import StoreError
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import Charge, Counter
from emafusion.testing.key_checks import check_key_store, check_meter

psycopg = pytest.importorskip("psycopg", reason="needs the extra `postgres`")

from emafusion.store.postgres.keys import PostgresKeyStore  # noqa: E402 - after the extra is known
from emafusion.store.postgres.lane import Lane  # noqa: E402 - the same
from emafusion.store.postgres.link import checked_url  # noqa: E402 - the same
from emafusion.store.postgres.meter import PostgresMeter  # noqa: E402 - the same
from emafusion.store.postgres.partitions import Kept  # noqa: E402 - the same
from emafusion.store.postgres.tending import Tender  # noqa: E402 - the same


@dataclass(frozen=True)
class Replica:
    """What one gateway has."""

    keys: PostgresKeyStore
    meter: PostgresMeter


@pytest.fixture
async def replicas(url: str) -> AsyncIterator[tuple[Replica, Replica]]:
    """Two gateways on one database."""
    checked = checked_url(url, where="EMA_POSTGRES")
    await asyncio.to_thread(Tender(checked, Kept()).prepare)
    lanes = [Lane(checked, doing="use the keys") for _ in range(2)]
    one, two = (Replica(PostgresKeyStore(lane), PostgresMeter(lane)) for lane in lanes)
    yield one, two
    for lane in lanes:
        await lane.close()


async def test_keys_hold_their_contract(replicas: tuple[Replica, Replica]) -> None:
    """As any key store."""
    await check_key_store(replicas[0].keys)


async def test_counters_hold_their_contract_across_replicas(
    replicas: tuple[Replica, Replica],
) -> None:
    """As any meter, with another replica at the same counters."""
    await check_meter(replicas[0].meter, replicas[1].meter)


async def test_a_hundred_at_once_do_not_pass_a_limit(replicas: tuple[Replica, Replica]) -> None:
    """Two counters each, named in either order, by two replicas: no deadlock, no overspending."""
    usd, requests = Counter(name="usd"), Counter(name="requests")
    charges = (
        Charge(counter=usd, amount=0.1, limit=2.0),
        Charge(counter=requests, amount=1.0, limit=30.0),
    )
    got = await asyncio.gather(
        *(
            replicas[n % 2].meter.reserve(
                f"h{n}", charges[:: 1 - 2 * (n % 3 == 0)], now_s=1000.0, until_s=1060.0
            )
            for n in range(100)
        )
    )
    assert sum(each.refused is None for each in got) == 20


async def test_a_key_made_by_one_is_known_to_the_other(replicas: tuple[Replica, Replica]) -> None:
    """At once."""
    key = Key(id="k1", name="ci")
    await replicas[0].keys.make(key, b"d" * 32)
    assert await replicas[1].keys.find(b"d" * 32, now_s=0.0) == key


async def test_a_database_that_hangs_is_given_up_and_comes_back(
    replicas: tuple[Replica, Replica], postgres_server: PostgresServer
) -> None:
    """Within seconds, as one line; the next question after it is back is answered."""
    assert await replicas[0].keys.get("k1") is None
    await asyncio.to_thread(postgres_server.freeze)
    try:
        started = time.monotonic()
        with pytest.raises(StoreError, match="cannot use the keys: no answer within 2 s"):
            await replicas[0].keys.get("k1")
        assert time.monotonic() - started < 3.0
    finally:
        await asyncio.to_thread(postgres_server.thaw)
    assert await replicas[0].keys.get("k1") is None


async def test_a_database_that_was_restarted_is_asked_anew(
    replicas: tuple[Replica, Replica], postgres_server: PostgresServer
) -> None:
    """No question fails because of a connection that ended while nobody used it."""
    assert await replicas[0].keys.get("k1") is None
    await asyncio.to_thread(postgres_server.stop, "immediate")
    await asyncio.to_thread(postgres_server.start)
    assert await replicas[0].keys.get("k1") is None
    await asyncio.to_thread(postgres_server.stop, "immediate")
    with pytest.raises(StoreError, match=r"^PostgreSQL: cannot use the keys: "):
        await replicas[0].keys.get("k1")
    await asyncio.to_thread(postgres_server.start)
    assert await replicas[0].keys.get("k1") is None
