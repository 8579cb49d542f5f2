"""Answers in real servers hold the same contract as those in a file."""

from __future__ import annotations

import asyncio

import pytest
from tests.state_servers.servers import ValkeyServer

from emafusion.store.answers.ports import Answers, Entry
from emafusion.store.errors import StoreError
from emafusion.testing import check_answers

pytest.importorskip("psycopg", reason="needs the extra `postgres`")
pytest.importorskip("valkey", reason="needs the extra `valkey`")

from emafusion.store.postgres.link import checked_url
from emafusion.store.postgres.partitions import Kept
from emafusion.store.postgres.shelf import PostgresShelf
from emafusion.store.postgres.tending import Tender
from emafusion.store.valkey.answers import ValkeyAnswers
from emafusion.store.valkey.link import open_client


async def bounded(answers: Answers) -> list[int]:
    """Which of twenty values of 20,000 bytes are there after all were kept, in their order."""
    for n in range(20):
        entry = Entry(request=b"", worker="", value=b"x" * 20_000)
        await answers.keep(b"%d" % n, entry, lasts_s=600.0 + n)
    return [n for n in range(20) if await answers.find(b"%d" % n) is not None]


async def test_in_postgres_they_hold_the_contract_across_replicas(url: str) -> None:
    """As any, and within their size."""
    checked = checked_url(url, where="EMA_POSTGRES")
    await asyncio.to_thread(Tender(checked, Kept()).prepare)
    one, two = PostgresShelf(checked, answers_mb=0.1), PostgresShelf(checked, answers_mb=0.1)
    await check_answers(one.answers, two.answers)
    kept = await bounded(one.answers)
    assert kept == list(range(20 - len(kept), 20))
    assert 5 <= len(kept) <= 6
    await one.close()
    await two.close()


async def test_in_valkey_they_hold_the_contract_across_replicas(
    valkey_server: ValkeyServer,
) -> None:
    """As any, and never more than their size, whatever the server was told to forget."""
    client = open_client(valkey_server.url)
    await client.flushall()
    one = ValkeyAnswers(client, max_bytes=100_000)
    two = ValkeyAnswers(open_client(valkey_server.url), max_bytes=100_000)
    await check_answers(one, two)
    assert await bounded(one) == [15, 16, 17, 18, 19]
    assert int(await client.get("{emafusion}a-bytes") or 0) == 100_000
    await one.keep(b"large", Entry(request=b"", worker="", value=b"x" * 100_001), lasts_s=60.0)
    assert await two.find(b"large") is None
    await one.close()
    await two.close()


async def test_where_valkey_is_gone_that_is_told() -> None:
    """In one line, quickly."""
    answers = ValkeyAnswers(open_client("redis://127.0.0.1:1/0"), max_bytes=1000)
    with pytest.raises(StoreError, match="Valkey: cannot share answers"):
        await answers.find(b"name")
    await answers.close()
