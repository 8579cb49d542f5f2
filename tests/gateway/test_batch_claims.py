"""A batch belongs to one process at a time: who has lost it asks nothing more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from emafusion.gateway.batch_work import Asker
from emafusion.gateway.batching import Batches
from emafusion.store.shelf.kept import Batch, KeptFile, Line, LineAnswer
from emafusion.store.shelf.sqlite_shelf import SqliteShelf

LINES = 12


class Waiting:
    """Answers lines when the batch is stopped."""

    def __init__(self, at_once: int) -> None:
        self.asked: list[int] = []
        self.are_all_asked = asyncio.Event()
        self._at_once = at_once

    async def ask(self, _batch: Batch, line: Line, *, stopped: asyncio.Event) -> LineAnswer:
        """Wait for that."""
        self.asked.append(line.number)
        if len(self.asked) == self._at_once:
            self.are_all_asked.set()
        await stopped.wait()
        return LineAnswer(number=line.number, good=True, text=b"{}")


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[SqliteShelf]:
    """A shelf with a batch that has just begun."""
    made = SqliteShelf(tmp_path / "shelf.sqlite")
    body = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
    url = "/v1/chat/completions"
    lines = [
        json.dumps({"custom_id": f"{n}", "method": "POST", "url": url, "body": body})
        for n in range(LINES)
    ]
    data = "\n".join(lines).encode()
    file = KeptFile(id="f", owner="", created_at=1.0, filename="a", purpose="batch", size=len(data))
    await made.files.put(file, data)
    batch = Batch(
        id="b", owner="", created_at=1.0, expires_at=9e9, endpoint=url, input_file=file.id
    )
    await made.batches.put(batch, most=9)
    yield made
    await made.close()


async def test_who_has_lost_a_batch_asks_nothing_more(shelf: SqliteShelf) -> None:
    """What was under way is kept; the rest is the other's, who ends the batch."""
    asker = Waiting(at_once=2)
    batches = Batches(shelf=shelf, asker=cast("Asker", asker), at_once=2)
    async with batches.running():
        await asker.are_all_asked.wait()
        (ours,) = await shelf.batches.workers()
        await shelf.batches.free(ours)
        assert await shelf.batches.claim("another", lasts_s=600.0) is not None
        batches.wake()  # as it does by itself, every three seconds
        await asyncio.wait(batches._under_way.values())
        open_lines = await shelf.batches.open_lines("b", after=0, limit=99)
        found = await shelf.batches.get("b", owner=None)
    assert sorted(asker.asked) == [1, 2]
    assert [line.number for line in open_lines] == list(range(3, LINES + 1))
    assert found is not None
    assert found.status == "in_progress"
