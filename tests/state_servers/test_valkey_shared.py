"""Replicas hear each other by a real Valkey or Redis, also what was told before they came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from tests.state_servers.servers import ValkeyServer

from emafusion.store.shared import BreakerTurned, Event, ToolCallMade

pytest.importorskip("valkey", reason="needs the extra `valkey`")

from emafusion.store.valkey.link import open_client
from emafusion.store.valkey.stream import WAITING, ValkeyShared

FIRST = ToolCallMade(call_id="c1", candidate="small")
SECOND = BreakerTurned(name="small", trips=1, open_s=5.0, paused_s=0.0, at_s=1.0)


@pytest.fixture
async def replica(valkey_server: ValkeyServer) -> AsyncIterator[Callable[[], ValkeyShared]]:
    """Makes replicas on an empty server."""
    client, made = open_client(valkey_server.url), list[ValkeyShared]()
    await client.flushall()
    await client.aclose(close_connection_pool=True)

    def make() -> ValkeyShared:
        made.append(ValkeyShared(valkey_server.url))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def until(holds: Callable[[], bool]) -> None:
    """Look for ten seconds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_all_others_hear_in_order_and_nobody_itself(
    replica: Callable[[], ValkeyShared],
) -> None:
    """Three replicas, one of which starts late."""
    heard: list[list[Event]] = [[], [], []]
    replicas = [replica() for _ in range(3)]
    for shared, mine in zip(replicas[:2], heard[:2], strict=True):
        shared.listen(mine.append)
    replicas[0].publish(FIRST)
    await until(lambda: heard[1] == [FIRST])
    replicas[0].publish(SECOND)
    replicas[2].listen(heard[2].append)
    await until(lambda: heard[1] == heard[2] == [FIRST, SECOND])
    assert heard[0] == []


async def test_what_was_told_during_an_outage_arrives_after_it(
    replica: Callable[[], ValkeyShared], valkey_server: ValkeyServer
) -> None:
    """Telling never waits; of too much, the newest stays."""
    heard = list[Event]()
    one, two = replica(), replica()
    one.listen(lambda _: None)
    two.listen(heard.append)
    one.publish(FIRST)
    await until(lambda: heard == [FIRST])
    valkey_server.stop()
    try:
        started = time.monotonic()
        for _ in range(WAITING + 5):
            one.publish(FIRST)
        one.publish(SECOND)
        assert time.monotonic() - started < 1.0
        await until(lambda: one.trouble is not None and two.trouble is not None)
    finally:
        valkey_server.start()
    await until(lambda: heard[-1] == SECOND)
    assert len(heard) <= WAITING + 1
    await until(lambda: two.trouble is None)
