"""The log stays within its limits, and what is younger stays."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

from tests.store.outcomes import outcome

from emafusion.store.connection import connect, open_log
from emafusion.store.estimates import LabelNames
from emafusion.store.housekeeping import Housekeeper, Retention, checkpoint, used_bytes
from emafusion.store.log import OutcomeLog
from emafusion.store.recording import Recorder
from emafusion.store.rows import insert, to_row
from emafusion.store.texts import Texts

DAY = 86_400.0
NOW = 1_790_000_000.0


def filled(path: Path, *, ages_days: list[float], prompt: str = "Hello?") -> Path:
    """A log with one row of each age, counted back from `NOW`."""
    open_log(path)
    recorder = Recorder(texts=Texts(prompts="full"), names=LabelNames())
    made = [
        outcome(f"em-{n}", created_at=NOW - age * DAY, prompt=prompt)
        for n, age in enumerate(ages_days)
    ]
    connection = connect(path, patience_s=1.0)
    insert(connection, [to_row(recorder.record(each)) for each in made])
    connection.close()
    return path


def left(path: Path) -> list[str]:
    """Ids that are still there, in both tables."""
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT decision_id FROM outcomes JOIN details USING (id) ORDER BY id"
    )
    names = [str(name) for (name,) in found]
    orphans = connection.execute(
        "SELECT count(*) FROM details WHERE id NOT IN (SELECT id FROM outcomes)"
    ).fetchone()[0]
    connection.close()
    assert orphans == 0
    return names


def tidied(path: Path, retention: Retention) -> Housekeeper:
    """Tidy once, at `NOW`."""
    housekeeper = Housekeeper(path, retention, clock=lambda: NOW)
    housekeeper.tidy()
    return housekeeper


def wait_until_removed(housekeeper: Housekeeper, rows: int) -> None:
    """Look for ten seconds whether its thread has come that far."""
    deadline = time.monotonic() + 10
    while housekeeper.removed < rows and time.monotonic() < deadline:
        time.sleep(0.02)


def test_what_is_too_old_goes_and_the_rest_stays(tmp_path: Path) -> None:
    """By time, not by the order of arrival."""
    path = filled(tmp_path / "log.sqlite", ages_days=[40, 1, 31, 29.9, 0])
    done = tidied(path, Retention(days=30, pause_s=0))
    assert left(path) == ["em-1", "em-3", "em-4"]
    assert (done.removed, done.running) == (2, False)


def test_no_limit_removes_nothing(tmp_path: Path) -> None:
    """None is no limit."""
    path = filled(tmp_path / "log.sqlite", ages_days=[4000, 1])
    assert tidied(path, Retention(days=None, max_bytes=None)).removed == 0


def test_what_is_too_much_goes_oldest_first_and_the_file_shrinks(tmp_path: Path) -> None:
    """The file itself gets smaller, not only what is in it."""
    ages = [float(300 - n) / 300 for n in range(300)]
    path = filled(tmp_path / "log.sqlite", ages_days=ages, prompt="word " * 1000)
    before = path.stat().st_size
    done = tidied(path, Retention(days=30, max_bytes=before // 2, batch=10, pause_s=0))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    used = used_bytes(connection)
    connection.close()
    assert used <= before // 2
    assert path.stat().st_size <= before // 2 + 64 * 4096
    assert 100 < done.removed < 200
    assert left(path) == [f"em-{n}" for n in range(done.removed, 300)]


async def test_it_happens_by_itself_while_rows_come_in(tmp_path: Path) -> None:
    """With nothing said, a month is kept; appending goes on meanwhile."""
    path = filled(tmp_path / "log.sqlite", ages_days=[4000.0] * 500)
    log = OutcomeLog.open(path)
    for n in range(50):
        await log.append(outcome(f"new-{n}", created_at=time.time()))
    await asyncio.to_thread(wait_until_removed, log.housekeeper, 500)
    await log.close()
    assert left(path) == [f"new-{n}" for n in range(50)]


async def test_the_write_ahead_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    """Checkpoints let it start over, while the log is being written to."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    wal = tmp_path / "log.sqlite-wal"
    sizes = list[int]()
    for n in range(600):
        await log.append(outcome(f"em-{n}", prompt="word " * 1000))
        if n % 50 == 0:
            await asyncio.to_thread(checkpoint, log.path)
            sizes.append((await asyncio.to_thread(wal.stat)).st_size)
    await log.close()
    assert max(sizes) < 8 * 2**20
    assert not await asyncio.to_thread(wal.exists)
