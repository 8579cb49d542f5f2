"""The log in a real PostgreSQL: what is acknowledged is there, outages are survived and told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from tests.state_servers.servers import PostgresServer
from tests.store.outcomes import answer, escalated_answer, failed_answer, outcome

from emafusion.store.errors import Late, StoreError
from emafusion.store.estimates import LabelNames
from emafusion.store.recording import Recorder
from emafusion.store.texts import Texts

psycopg = pytest.importorskip("psycopg", reason="needs the extra `postgres`")

from emafusion.store.postgres.link import checked_url  # noqa: E402 - after the extra is known
from emafusion.store.postgres.log import Bounds, PostgresLog  # noqa: E402 - the same
from emafusion.store.postgres.partitions import Kept  # noqa: E402 - the same
from emafusion.store.postgres.tending import Tender  # noqa: E402 - the same

RECORDER = Recorder(texts=Texts(prompts="full"), names=LabelNames())


def opened(url: str, *, bounds: Bounds | None = None) -> PostgresLog:
    """A log in that database, with its schema."""
    checked = checked_url(url, where="EMA_POSTGRES")
    tender = Tender(checked, Kept())
    tender.prepare()
    return PostgresLog(checked, RECORDER, tender=tender, bounds=bounds)


@pytest.fixture
async def log(url: str) -> AsyncIterator[PostgresLog]:
    """An open log."""
    made = opened(url)
    yield made
    await made.close()


def kept(url: str) -> list[str]:
    """Ids that are in the database, in the order they came."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT decision_id FROM emafusion.outcomes ORDER BY id")
        return [name for (name,) in found]


async def test_what_append_returned_from_is_committed(log: PostgresLog, url: str) -> None:
    """Each is seen by others before the next is begun."""
    for number in range(3):
        await log.append(outcome(f"em-{number}"))
        assert await asyncio.to_thread(kept, url) == [f"em-{n}" for n in range(number + 1)]


async def test_many_at_once_are_all_kept(log: PostgresLog, url: str) -> None:
    """Two thousand that come together go in a few groups."""
    await asyncio.gather(*(log.append(outcome(f"em-{n}")) for n in range(2000)))
    assert sorted(await asyncio.to_thread(kept, url)) == sorted(f"em-{n}" for n in range(2000))
    assert log.waiting == 0


async def test_one_wrong_row_costs_no_other(log: PostgresLog, url: str) -> None:
    """The group is written without it, and its caller is told."""
    wrong = outcome("em-wrong", created_at=1e300)
    done = await asyncio.gather(
        *(log.append(each) for each in (outcome("em-1"), wrong, outcome("em-2"))),
        return_exceptions=True,
    )
    assert [type(each) for each in done] == [type(None), StoreError, type(None)]
    assert await asyncio.to_thread(kept, url) == ["em-1", "em-2"]


async def test_a_row_of_a_day_without_a_table_gets_one(log: PostgresLog, url: str) -> None:
    """A row that comes days late is not lost."""
    await log.append(outcome("em-old", created_at=time.time() - 9 * 86_400))
    assert await asyncio.to_thread(kept, url) == ["em-old"]


async def test_texts_that_postgres_cannot_hold_are_held_all_the_same(
    log: PostgresLog, url: str
) -> None:
    """No NUL and no lone surrogate keeps an answer out of the log."""
    await log.append(outcome("em-1", prompt="a\0b\ud800c", given=answer("x\0\0y \\u0000")))
    assert await asyncio.to_thread(kept, url) == ["em-1"]


async def test_every_kind_of_outcome_is_kept(log: PostgresLog, url: str) -> None:
    """Answered at once, escalated, failed."""
    for number, given in enumerate((answer(), escalated_answer(), failed_answer())):
        await log.append(outcome(f"em-{number}", given=given))
    assert len(await asyncio.to_thread(kept, url)) == 3


async def test_an_outage_is_told_and_made_up_for(
    log: PostgresLog, url: str, postgres_server: PostgresServer
) -> None:
    """Rows wait in memory, nobody waits for them, and all are there when it is back."""
    await log.append(outcome("em-before"))
    await asyncio.to_thread(postgres_server.stop, "immediate")
    try:
        started = time.monotonic()
        for number in range(20):
            with pytest.raises(Late, match="PostgreSQL: cannot log an outcome: "):
                await log.append(outcome(f"em-{number}"))
        assert time.monotonic() - started < 2.0
        assert (log.waiting, log.lost) == (20, 0)
        assert log.trouble is not None
    finally:
        await asyncio.to_thread(postgres_server.start)
    await until(lambda: log.waiting == 0)
    await log.append(outcome("em-after"))
    expected = ["em-before", *(f"em-{n}" for n in range(20)), "em-after"]
    assert await asyncio.to_thread(kept, url) == expected
    assert log.lost == 0


async def test_what_finds_no_room_is_counted_as_lost(
    url: str, postgres_server: PostgresServer
) -> None:
    """Memory is bounded; the rows that waited already are not given up for new ones."""
    log = opened(url, bounds=Bounds(rows=5))
    await asyncio.to_thread(postgres_server.stop, "immediate")
    try:
        for number in range(5):
            with pytest.raises(Late):
                await log.append(outcome(f"em-{number}"))
        with pytest.raises(StoreError, match="5 outcomes wait for it already"):
            await log.append(outcome("em-lost"))
        assert (log.waiting, log.lost) == (5, 0)
    finally:
        await asyncio.to_thread(postgres_server.start)
    await until(lambda: log.waiting == 0)
    await log.close()
    assert await asyncio.to_thread(kept, url) == [f"em-{n}" for n in range(5)]


async def test_a_server_that_hangs_holds_nobody_for_long(
    url: str, postgres_server: PostgresServer
) -> None:
    """After some time the row waits in memory; it is written once, whenever it arrived."""
    log = opened(url, bounds=Bounds(patience_s=0.5))
    await log.append(outcome("em-before"))
    await asyncio.to_thread(postgres_server.freeze)
    try:
        started = time.monotonic()
        with pytest.raises(Late, match="no answer within"):
            await log.append(outcome("em-1"))
        assert time.monotonic() - started < 2.0
    finally:
        await asyncio.to_thread(postgres_server.thaw)
    await until(lambda: log.waiting == 0)
    await log.close()
    assert await asyncio.to_thread(kept, url) == ["em-before", "em-1"]


async def test_what_never_came_back_is_said_at_the_end(
    url: str, postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing waits some seconds, then says how many are lost."""
    log = opened(url, bounds=Bounds(closing_s=0.3))
    await asyncio.to_thread(postgres_server.stop, "immediate")
    try:
        with pytest.raises(Late):
            await log.append(outcome("em-1"))
        await log.close()
    finally:
        await asyncio.to_thread(postgres_server.start)
    assert log.lost == 1
    assert "PostgreSQL did not come back: 1 outcomes are lost" in caplog.text


async def test_closing_writes_what_is_under_way(url: str) -> None:
    """Nothing that was handed over before it is lost."""
    log = opened(url)
    appending = [asyncio.ensure_future(log.append(outcome(f"em-{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    await log.close()
    await asyncio.gather(*appending)
    assert len(await asyncio.to_thread(kept, url)) == 20


async def until(holds: Callable[[], bool]) -> None:
    """Look for ten seconds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
