"""Keys and counters: both homes keep the contract, in two processes too."""

from __future__ import annotations

from pathlib import Path

import pytest

from emafusion.store.errors import StoreError
from emafusion.store.keys.key import Key
from emafusion.store.keys.memory import MemoryKeyStore, MemoryMeter
from emafusion.store.keys.ports import Counter
from emafusion.store.keys.sqlite_file import KeysFile
from emafusion.store.keys.sqlite_keys import SQLiteKeyStore
from emafusion.store.keys.sqlite_meter import SQLiteMeter
from emafusion.testing import check_key_store, check_meter


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_keys_in_memory() -> None:
    """The simplest key store holds the contract."""
    await check_key_store(MemoryKeyStore())


async def test_keys_in_a_file(tmp_path: Path) -> None:
    """So does the one in SQLite."""
    store = SQLiteKeyStore(KeysFile(tmp_path / "keys.sqlite"))
    await check_key_store(store)
    await store.close()


async def test_counters_in_memory() -> None:
    """The simplest meter holds the contract."""
    await check_meter(MemoryMeter())


async def test_counters_in_a_file(tmp_path: Path) -> None:
    """So does the one in SQLite, seen by two."""
    one, two = (SQLiteMeter(KeysFile(tmp_path / "keys.sqlite")) for _ in range(2))
    await check_meter(one, two)
    await one.close()
    await two.close()


async def test_no_file_is_made_by_looking(tmp_path: Path) -> None:
    """Who only asks finds nothing and leaves nothing."""
    file = KeysFile(tmp_path / "keys.sqlite")
    store, meter = SQLiteKeyStore(file), SQLiteMeter(file)
    assert await store.list_all() == ()
    assert await store.find(bytes(32), now_s=0.0) is None
    assert (await meter.read((Counter(name="n"),), now_s=0.0))[0].taken == 0.0
    await store.close()
    assert not _files(tmp_path)


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else may read digests and budgets."""
    store = SQLiteKeyStore(KeysFile(tmp_path / "data" / "keys.sqlite"))
    await store.make(Key(id="k1", name="ci"), bytes(32))
    await store.close()
    assert (tmp_path / "data" / "keys.sqlite").stat().st_mode & 0o077 == 0


async def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    """A file of something else is left as it is, and said so."""
    path = tmp_path / "keys.sqlite"
    path.write_text("not a database, but long enough to look like a file of something" * 20)
    store = SQLiteKeyStore(KeysFile(path))
    with pytest.raises(StoreError, match=r"keys\.sqlite"):
        await store.make(Key(id="k1", name="ci"), bytes(32))
    await store.close()
    assert path.read_text().startswith("not a database")


async def test_a_removed_file_is_made_anew(tmp_path: Path) -> None:
    """Who removes the file while it is open gets an empty one, not lost writes."""
    path = tmp_path / "keys.sqlite"
    store = SQLiteKeyStore(KeysFile(path))
    await store.make(Key(id="k1", name="ci"), bytes(32))
    assert await store.get("k1") is not None
    for each in _files(tmp_path):
        each.unlink()
    await store.make(Key(id="k2", name="ci"), b"2" * 32)
    assert [key.id for key in await store.list_all()] == ["k2"]
    await store.close()
