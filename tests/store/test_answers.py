"""Answers in the file of the shelf, for several workers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emafusion.store.answers.ports import Entry
from emafusion.store.shelf.sqlite_shelf import SqliteShelf
from emafusion.testing import check_answers


@pytest.fixture
async def shelves(tmp_path: Path) -> AsyncIterator[tuple[SqliteShelf, SqliteShelf]]:
    """Two workers on one file, with little room for answers."""
    made = [SqliteShelf(tmp_path / "shelf.sqlite", answers_mb=0.1) for _ in range(2)]
    yield made[0], made[1]
    for each in made:
        await each.close()


async def test_they_hold_what_answers_must(shelves: tuple[SqliteShelf, SqliteShelf]) -> None:
    """The contract, across two workers."""
    one, two = shelves
    await check_answers(one.answers, two.answers)


async def test_they_stay_within_their_size(shelves: tuple[SqliteShelf, SqliteShelf]) -> None:
    """What would be forgotten soonest goes first."""
    answers = shelves[0].answers
    for n in range(20):
        entry = Entry(request=b"", worker="", value=b"x" * 20_000)
        await answers.keep(b"%d" % n, entry, lasts_s=600.0 + n)
    kept = [n for n in range(20) if await answers.find(b"%d" % n) is not None]
    assert kept == list(range(20 - len(kept), 20))
    assert 5 <= len(kept) <= 6


async def test_what_is_past_its_time_is_gone_from_the_file(
    shelves: tuple[SqliteShelf, SqliteShelf],
) -> None:
    """Also where nobody keeps anything more."""
    one, _ = shelves
    entry = Entry(request=b"", worker="", value=b"a word that is to go")
    await one.answers.keep(b"name", entry, lasts_s=60.0)
    assert await one.tidy(time.time()) == 0
    assert await one.tidy(time.time() + 61.0) == 1
    assert await one.answers.find(b"name") is None
