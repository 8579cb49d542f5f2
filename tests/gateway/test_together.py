"""Answers that several processes share: idempotency keys and the cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.store.outcomes import escalated_answer, failed_answer, features, outcome
from typing_extensions import override

from emafusion.domain.features import Features
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.facts import facts
from emafusion.gateway.reuse.exact import Cache
from emafusion.gateway.reuse.once import InUse, Once, Reused, Try
from emafusion.gateway.reuse.together import Together
from emafusion.store.answers.ports import Entry
from emafusion.store.answers.sqlite_answers import SqliteAnswers
from emafusion.store.errors import StoreError
from emafusion.store.shelf.file import ShelfFile
from emafusion.store.shelf.sqlite_shelf import SqliteShelf

Start = Callable[[], Together]


class Encoder:
    """Reads nothing."""

    def encode(self, query: Query, /) -> Features:
        """The same for all."""
        del query
        return features()


class Gone(SqliteAnswers):
    """A place for answers that cannot be reached."""

    @override
    async def claim(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> Entry:
        """Fail."""
        raise StoreError("nobody there")


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts processes that share one file."""
    shelves: list[SqliteShelf] = []

    def made() -> Together:
        shelves.append(SqliteShelf(tmp_path / "shelf.sqlite"))
        return Together(answers=shelves[-1].answers)

    yield made
    for shelf in shelves:
        await shelf.close()


class Maker:
    """Makes an outcome when it is let, and counts."""

    def __init__(self, made: Outcome | None = None) -> None:
        self.made = made or outcome(given=escalated_answer())
        self.may_end = asyncio.Event()
        self.begun = asyncio.Event()
        self.count = 0

    async def __call__(self) -> Outcome:
        """Make it."""
        self.count += 1
        self.begun.set()
        await self.may_end.wait()
        return self.made

    def asked(self, *, key: str = "k", within_s: float = 30.0) -> Try:
        """A request for it."""
        until_s = asyncio.get_running_loop().time() + within_s
        query, objective = self.made.query, self.made.objective
        return Try(owner="me", key=key, query=query, objective=objective, until_s=until_s)


async def test_two_processes_share_one_answer(start: Start) -> None:
    """The second waits for the first, and gives the very same."""
    one, two, make = Once(together=start()), Once(together=start()), Maker()
    first = asyncio.ensure_future(one.answer(make.asked(), make))
    await make.begun.wait()
    second = asyncio.ensure_future(two.answer(make.asked(), make))
    await asyncio.sleep(0.05)
    assert not second.done()
    make.may_end.set()
    (made, again), (told, too) = await first, await second
    assert (make.count, again, too) == (1, False, True)
    assert facts(told) == facts(made)
    assert told.answer.reply == made.answer.reply
    assert (await Once(together=start()).answer(make.asked(), make))[1]


async def test_what_failed_is_tried_by_the_one_who_waits(start: Start) -> None:
    """At once, not when a claim has run out."""
    one, two = Once(together=start()), Once(together=start())
    make, well = Maker(replace(outcome(given=failed_answer()), status=503)), Maker()
    first = asyncio.ensure_future(one.answer(make.asked(), make))
    await make.begun.wait()
    well.may_end.set()
    second = asyncio.ensure_future(two.answer(make.asked(), well))
    make.may_end.set()
    assert (await first)[0].status == 503
    async with asyncio.timeout(8):  # a claim stands for longer
        assert await second == (well.made, False)


async def test_another_request_under_the_same_key_is_refused_everywhere(start: Start) -> None:
    """Also by who did not see the first."""
    one, two, make = Once(together=start()), Once(together=start()), Maker()
    make.may_end.set()
    await one.answer(make.asked(), make)
    other = Maker(outcome(prompt="Another question?"))
    with pytest.raises(Reused):
        await two.answer(other.asked(), other)


async def test_who_cannot_wait_so_long_is_told(start: Start) -> None:
    """In one process and in another; nothing is asked twice."""
    one, two, make = Once(together=start()), Once(together=start()), Maker()
    first = asyncio.ensure_future(one.answer(make.asked(), make))
    await make.begun.wait()
    for each in (one, two):
        with pytest.raises(InUse):
            await each.answer(make.asked(within_s=0.1), make)
    make.may_end.set()
    await first
    assert make.count == 1


async def test_where_others_are_out_of_reach_each_goes_on_by_itself(tmp_path: Path) -> None:
    """An answer does not fail because it cannot be shared."""
    gone = Gone(ShelfFile(tmp_path / "none.sqlite"), max_bytes=1)
    once, make = Once(together=Together(answers=gone)), Maker()
    make.may_end.set()
    assert await once.answer(make.asked(), make) == (make.made, False)
    assert await once.answer(make.asked(), make) == (make.made, True)


async def test_the_cache_is_one_for_all(start: Start) -> None:
    """What one process was told another gives, to the same key alone."""
    one, two = (Cache(ttl_s=60.0, max_bytes=2**20, together=start()) for _ in range(2))
    made, encoder = outcome(), Encoder()
    one.keep(made, made.objective, "me", encoder=encoder)
    assert one.together is not None
    await one.together.close()
    found = await two.find(made.query, made.objective, "me", encoder=encoder)
    assert found is not None
    assert found.reply == made.answer.reply
    assert await two.find(made.query, made.objective, "other", encoder=encoder) is None
    assert (two.hits, two.misses) == (1, 1)
