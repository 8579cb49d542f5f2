"""The shelf in a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emafusion.store.errors import StoreError
from emafusion.store.shelf.kept import KeptFile, KeptResponse
from emafusion.store.shelf.sqlite_shelf import SqliteShelf
from emafusion.testing import check_shelf


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[SqliteShelf]:
    """An empty shelf with the usual limits."""
    made = SqliteShelf(tmp_path / "shelf.sqlite")
    yield made
    await made.close()


def response(key: str, *, created_at: float = 1.0, size: int = 2) -> KeptResponse:
    """A response of some size."""
    return KeptResponse(
        id=key, owner="", created_at=created_at, items=b"[]", body=b"x" * (size - 2)
    )


def file(key: str, size: int) -> KeptFile:
    """A file of some size."""
    return KeptFile(id=key, owner="", created_at=1.0, filename="a", purpose="batch", size=size)


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


async def test_it_holds_what_a_shelf_must(shelf: SqliteShelf) -> None:
    """The contract of every shelf."""
    await check_shelf(shelf)


async def test_nothing_is_made_before_it_is_needed(shelf: SqliteShelf, tmp_path: Path) -> None:
    """Who keeps nothing has no file."""
    assert await shelf.tidy(1.0) == 0
    assert await shelf.batches.claim("w", lasts_s=1.0) is None
    assert await shelf.batches.workers() == []
    assert not names(tmp_path)


async def test_only_its_owner_can_read_the_file(shelf: SqliteShelf, tmp_path: Path) -> None:
    """It holds what people asked and were told."""
    await shelf.responses.put(response("r"))
    assert (tmp_path / "shelf.sqlite").stat().st_mode & 0o077 == 0


async def test_it_stays_within_its_size(tmp_path: Path) -> None:
    """The oldest responses go; a file for which there is no room is not taken."""
    shelf = SqliteShelf(tmp_path / "shelf.sqlite", max_mb=1.0)  # half of it for each kind
    for n in range(10):
        await shelf.responses.put(response(f"r{n}", created_at=float(n), size=100_000))
    assert await shelf.tidy(20.0) == 5
    assert await shelf.responses.get("r4", owner="") is None
    assert await shelf.responses.get("r5", owner="") is not None
    assert await shelf.files.put(file("a", 400_000), b"x" * 400_000)
    assert not await shelf.files.put(file("b", 200_000), b"x" * 200_000)
    await shelf.close()


async def test_a_file_that_was_removed_is_made_anew(shelf: SqliteShelf, tmp_path: Path) -> None:
    """Whoever cleans up does not stop the gateway."""
    await shelf.responses.put(response("r"))
    for name in names(tmp_path):
        (tmp_path / name).unlink()
    assert await shelf.responses.get("r", owner="") is None
    await shelf.responses.put(response("r"))
    assert await shelf.responses.get("r", owner="") is not None


async def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """A database of another program is refused, and stays as it was."""
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("create table t (a)")
    db.close()
    before = path.read_bytes()
    shelf = SqliteShelf(path)
    with pytest.raises(StoreError):
        await shelf.responses.put(response("r"))
    await shelf.close()
    assert path.read_bytes() == before


async def test_trouble_is_told_in_one_line(shelf: SqliteShelf, tmp_path: Path) -> None:
    """Which file, and why."""
    (tmp_path / "shelf.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"shelf\.sqlite: cannot use the shelf"):
        await shelf.responses.put(response("r"))
