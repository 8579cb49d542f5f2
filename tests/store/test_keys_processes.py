"""Counters that several processes share, some of which are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from emafusion.store.errors import StoreError
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import Charge, Counter, Level
from emafusion.store.keys.sqlite_file import KeysFile
from emafusion.store.keys.sqlite_keys import SQLiteKeyStore
from emafusion.store.keys.sqlite_link import Link
from emafusion.store.keys.sqlite_meter import SQLiteMeter

NOW_S, UNTIL_S = 1_800_000_000.0, 1_800_000_060.0
USD = Counter(name="usd")

HEAD = """
import asyncio, sys
from pathlib import Path
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import Charge, Counter
from emafusion.store.keys.sqlite_file import KeysFile
from emafusion.store.keys.sqlite_keys import SQLiteKeyStore
from emafusion.store.keys.sqlite_meter import SQLiteMeter

NOW_S, UNTIL_S = 1_800_000_000.0, 1_800_000_060.0
name, file = sys.argv[2], KeysFile(Path(sys.argv[1]))
meter, keys = SQLiteMeter(file), SQLiteKeyStore(file)
charge = Charge(counter=Counter(name="usd"), amount=1.0, limit=100.0)
"""

GRAB = """
async def grab(i):
    hold = f"{name}-{i}"
    got = await meter.reserve(hold, (charge,), now_s=NOW_S, until_s=UNTIL_S)
    if got.refused is None:
        await asyncio.sleep(0)
        await meter.settle(hold, (charge,), now_s=NOW_S)
    return got.refused is None

async def work():
    print(sum(await asyncio.gather(*(grab(i) for i in range(60)))))
    await meter.close()

asyncio.run(work())
"""

SPEND = """
async def work():
    i = 0
    while True:
        await meter.settle(None, (charge,), now_s=NOW_S)
        await keys.make(Key(id=f"{name}-{i}", name=f"{name}-{i}"), f"{name}-{i}".encode())
        i += 1
        print(i, flush=True)

asyncio.run(work())
"""


def _start(path: Path, name: str, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + what, str(path), name], stdout=subprocess.PIPE, text=True
    )


def test_processes_together_take_no_more_than_the_limit(tmp_path: Path) -> None:
    """Three processes ask 180 times for what is there 100 times."""
    path = tmp_path / "keys.sqlite"
    each = [_start(path, name, GRAB) for name in "abc"]
    took = [int(process.communicate(timeout=60)[0]) for process in each]
    assert sum(took) == 100
    level = asyncio.run(_level(path))
    assert (level.used, level.held) == (100.0, 0.0)


def test_what_was_told_as_counted_survives_a_kill(tmp_path: Path) -> None:
    """Killed at any moment: every spend and key that was acknowledged is there."""
    path = tmp_path / "keys.sqlite"
    told = 0
    for name in "abc":
        process = _start(path, name, SPEND)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        told += int([line for line in lines if line.endswith("\n")][-1])
    level, made = asyncio.run(_level(path)), asyncio.run(_keys(path))
    assert told <= level.used <= told + 3.0
    assert told <= made <= told + 3


async def _level(path: Path) -> Level:
    meter = SQLiteMeter(KeysFile(path))
    level = (await meter.read((USD,), now_s=NOW_S))[0]
    await meter.close()
    return level


async def _keys(path: Path) -> int:
    store = SQLiteKeyStore(KeysFile(path))
    made = await store.list_all()
    await store.close()
    return len(made)


async def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    """Not by the event loop: it goes on meanwhile, and then the work is done."""
    path = tmp_path / "keys.sqlite"
    one, two = SQLiteMeter(KeysFile(path)), KeysFile(path)
    charge = Charge(counter=USD, amount=1.0)
    await one.settle(None, (charge,), now_s=NOW_S)
    locked = time.monotonic() + 0.3
    lock = asyncio.ensure_future(two.write(lambda _: time.sleep(0.3), lasting=True))
    await asyncio.sleep(0.1)
    longest_s, waiting = 0.0, asyncio.ensure_future(one.settle(None, (charge,), now_s=NOW_S))
    while not waiting.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest_s = max(longest_s, time.monotonic() - before)
    assert time.monotonic() >= locked - 0.05
    assert longest_s < 0.2
    await lock
    assert (await one.read((USD,), now_s=NOW_S))[0].used == 2.0
    await one.close()
    await two.close()


async def test_a_file_that_stays_locked_holds_up_nobody_for_long(tmp_path: Path) -> None:
    """Whoever waits behind one who waited in vain does not wait too; and reading needs no lock."""
    path = tmp_path / "keys.sqlite"
    file = KeysFile(path, patience_s=0.3)
    meter, keys = SQLiteMeter(file), SQLiteKeyStore(file)
    charge = Charge(counter=USD, amount=1.0)
    await keys.make(Key(id="k1", name="ci"), bytes(32))
    await meter.settle(None, (charge,), now_s=NOW_S)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    many = (meter.settle(None, (charge,), now_s=NOW_S) for _ in range(20))
    done = await asyncio.gather(*many, return_exceptions=True)
    assert all(isinstance(each, StoreError) for each in done)
    assert time.monotonic() - started < 2.0
    assert await keys.find(bytes(32), now_s=NOW_S) is not None
    assert (await meter.read((USD,), now_s=NOW_S))[0].used == 1.0
    fresh = SQLiteKeyStore(KeysFile(path, patience_s=0.3))
    assert await fresh.get("k1") is not None
    other.execute("ROLLBACK")
    other.close()
    await meter.settle(None, (charge,), now_s=NOW_S)
    await file.close()
    await fresh.close()


TOUCH = """
async def work():
    await meter.settle(None, (charge,), now_s=NOW_S)
    await meter.close()

asyncio.run(work())
"""


def test_opening_a_second_connection_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    """Else a process that ends takes itself for the last one, and removes the journal in use."""
    path = tmp_path / "keys.sqlite"
    journal = path.with_name("keys.sqlite-wal")
    first, second = Link(path, patience_s=1.0), Link(path, patience_s=1.0)
    first.connection().execute("SELECT * FROM counters").fetchall()
    second.connection()
    other = _start(path, "a", TOUCH)
    other.communicate(timeout=60)
    assert other.returncode == 0
    assert journal.exists()
    second.close()
    first.close()
