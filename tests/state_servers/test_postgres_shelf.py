"""The shelf in a real PostgreSQL holds the same contract as the one in a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.state_servers.servers import PostgresServer

from emafusion.store.errors import StoreError
from emafusion.store.shelf.kept import Batch, KeptFile, KeptResponse, Line, Page
from emafusion.testing import check_shelf

pytest.importorskip("psycopg", reason="needs the extra `postgres`")

from emafusion.store.postgres.link import checked_url
from emafusion.store.postgres.partitions import Kept
from emafusion.store.postgres.shelf import PostgresShelf
from emafusion.store.postgres.tending import Tender


@pytest.fixture
async def shelves(url: str) -> AsyncIterator[tuple[PostgresShelf, PostgresShelf]]:
    """What two replicas have, with room of half a megabyte for each kind."""
    checked = checked_url(url, where="EMA_POSTGRES")
    await asyncio.to_thread(Tender(checked, Kept()).prepare)
    one, two = (PostgresShelf(checked, max_mb=40.0) for _ in range(2))
    yield one, two
    await one.close()
    await two.close()


def batch(number: int) -> Batch:
    """A batch that somebody has to work on."""
    return Batch(
        id=f"batch_{number}",
        owner="",
        created_at=1.0,
        expires_at=1e9,
        endpoint="/v1/responses",
        input_file="f",
    )


async def test_it_holds_what_a_shelf_must(shelves: tuple[PostgresShelf, PostgresShelf]) -> None:
    """The contract of every shelf."""
    await check_shelf(shelves[0])


async def test_each_batch_is_one_replica_s(shelves: tuple[PostgresShelf, PostgresShelf]) -> None:
    """Many that look for work at once never get the same."""
    one, two = shelves
    for number in range(8):
        assert await one.batches.put(batch(number), most=50)
    claims = [each.batches.claim("w", lasts_s=60.0) for each in (one, two) * 8]
    got = [found.id for found in await asyncio.gather(*claims) if found is not None]
    # Whoever looks while another is taking one may find nothing, and looks again.
    while (found := await two.batches.claim("w", lasts_s=60.0)) is not None:
        got.append(found.id)
    assert sorted(got) == sorted(f"batch_{n}" for n in range(8))


async def test_limits_hold_for_all_replicas_together(
    shelves: tuple[PostgresShelf, PostgresShelf],
) -> None:
    """Of uploads and batches that come at once only as many are taken as fit."""
    one, two = shelves
    data = b"x" * 8 * 2**20
    files = [
        KeptFile(id=f"f{n}", owner="", created_at=1.0, filename="a", purpose="b", size=len(data))
        for n in range(4)
    ]
    puts = [each.files.put(file, data) for each, file in zip((one, two) * 2, files, strict=True)]
    assert sorted(await asyncio.gather(*puts)) == [False, False, True, True]
    begun = [each.batches.put(batch(n), most=3) for n, each in enumerate((one, two) * 4)]
    assert sum(await asyncio.gather(*begun)) == 3


async def test_any_name_is_kept_as_it_is(shelves: tuple[PostgresShelf, PostgresShelf]) -> None:
    """PostgreSQL has no NUL in a text; ids that cannot be are simply not there."""
    one, two = shelves
    name = "a\0b\u2028.jsonl"
    file = KeptFile(id="f", owner="", created_at=1.0, filename=name, purpose="batch", size=3)
    assert await one.files.put(file, b"\0\1\2")
    assert await two.files.get("f", owner="") == file
    assert b"".join([piece async for piece in two.files.content(file)]) == b"\0\1\2"
    await one.batches.put(batch(1), most=9)
    lines = [Line(number=1, custom_id=name, body=b"{}")]
    await one.batches.fill("batch_1", lines)
    assert await two.batches.open_lines("batch_1", after=0, limit=9) == lines
    assert await one.responses.chain("r\0", owner="") == ()
    assert await one.files.get("f\0", owner="") is None
    with pytest.raises(KeyError):
        await one.batches.page_of(Page(after="b\0"), owner="")


async def test_it_stays_within_its_size(shelves: tuple[PostgresShelf, PostgresShelf]) -> None:
    """The oldest responses go; one replica at a time sees to it."""
    one, two = shelves
    for n in range(5):
        body = b"x" * 5 * 2**20
        await one.responses.put(
            KeptResponse(id=f"r{n}", owner="", created_at=float(n), items=b"[]", body=body)
        )
    await asyncio.gather(one.tidy(10.0), two.tidy(10.0))
    kept = [n for n in range(5) if await two.responses.get(f"r{n}", owner="") is not None]
    assert kept == [2, 3, 4]


async def test_trouble_is_told_in_one_line(
    shelves: tuple[PostgresShelf, PostgresShelf], postgres_server: PostgresServer
) -> None:
    """And it works again when the server is back."""
    one, _ = shelves
    assert await one.responses.get("r", owner="") is None
    postgres_server.stop("immediate")
    try:
        with pytest.raises(StoreError, match="PostgreSQL: cannot use the shelf: "):
            await one.responses.get("r", owner="")
    finally:
        postgres_server.start()
    assert await one.responses.get("r", owner="") is None
