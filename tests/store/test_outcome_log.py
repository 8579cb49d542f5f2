"""The log keeps what it says it kept."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.store.outcomes import answer, escalated_answer, failed_answer, outcome

from emafusion.domain.errors import BadInput
from emafusion.domain.ports import Store
from emafusion.store.errors import StoreError
from emafusion.store.estimates import LabelNames
from emafusion.store.housekeeping import Housekeeper, Retention
from emafusion.store.link import Link
from emafusion.store.log import OutcomeLog
from emafusion.store.recording import Recorder
from emafusion.store.texts import Texts


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """What another program sees in the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def remove(path: Path) -> None:
    """What an operator does who wants an empty log."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


async def test_an_appended_outcome_is_there_for_others_at_once(tmp_path: Path) -> None:
    """When append returns, another connection sees the row."""
    path = tmp_path / "new" / "log.sqlite"
    log: Store = OutcomeLog.open(path)
    await log.append(outcome("em-1"))
    assert rows(path, "SELECT decision_id, status FROM outcomes") == [("em-1", 200)]


async def test_attempts_plans_judgements_and_candidates_can_be_asked_for_in_sql(
    tmp_path: Path,
) -> None:
    """The views spread out what a row holds."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    await log.append(outcome("em-1", given=escalated_answer()))
    await log.close()
    path = tmp_path / "log.sqlite"
    assert rows(path, "SELECT n, candidate, response, confidence FROM attempts") == [
        (0, "small", "It is 41.", 0.3),
        (1, "large", "It is 42.", 0.95),
    ]
    assert rows(path, "SELECT step, propensity FROM plans ORDER BY n") == [
        ("call", 0.9),
        ("call", 1.0),
        ("stop", 1.0),
    ]
    assert rows(path, "SELECT judge, attempt, value, verdict FROM judgements") == [
        ("rules", 0, 0.2, "does not add up"),
        ("rules", 1, 0.95, None),
    ]
    assert rows(path, "SELECT candidate, quality, latency_s FROM candidates") == [
        ("small", 0.61, 0.4),
        ("large", 0.92, None),
    ]


async def test_many_appends_at_once_are_all_there(tmp_path: Path) -> None:
    """Rows of one turn of the loop are committed together, small groups and large."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    for size in (1, 3, 16, 17, 200):
        names = [f"em-{size}-{n}" for n in range(size)]
        await asyncio.gather(*(log.append(outcome(name)) for name in names))
    await log.close()
    assert rows(log.path, "SELECT count(*), count(DISTINCT decision_id) FROM outcomes") == [
        (237, 237)
    ]


async def test_a_client_that_leaves_does_not_take_its_row_along(tmp_path: Path) -> None:
    """Cancelling an append still writes the row."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    first = asyncio.create_task(log.append(outcome("em-0")))
    task = asyncio.create_task(log.append(outcome("em-1")))
    await asyncio.sleep(0)  # the first of a turn of the loop is written at once, the next one waits
    assert first.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await log.close()
    assert rows(log.path, "SELECT decision_id FROM outcomes") == [("em-0",), ("em-1",)]


async def test_close_writes_what_still_waits(tmp_path: Path) -> None:
    """Nothing that was handed over before close is lost, and nothing can be after it."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    tasks = [asyncio.create_task(log.append(outcome(f"em-{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await log.close()
    await asyncio.gather(*tasks)
    assert rows(log.path, "SELECT count(*) FROM outcomes") == [(50,)]
    with pytest.raises(StoreError, match="log is closed"):
        await log.append(outcome("late"))
    await log.close()


def test_a_new_log_is_private_to_its_owner(tmp_path: Path) -> None:
    """Prompts are nobody else's business."""
    path = tmp_path / "deep" / "log.sqlite"
    OutcomeLog.open(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_row_waits_for_another_writer(tmp_path: Path) -> None:
    """Where another process holds the lock for a moment, append waits, and the loop goes on."""
    path = tmp_path / "log.sqlite"
    log = OutcomeLog.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    tasks = [asyncio.create_task(log.append(outcome(f"em-{n}"))) for n in range(5)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in tasks)
    other.execute("COMMIT")
    other.close()
    await asyncio.gather(*tasks)
    await log.close()
    assert rows(path, "SELECT count(*) FROM outcomes") == [(5,)]


async def test_a_lock_that_is_never_let_go_is_an_error_not_a_loss(tmp_path: Path) -> None:
    """After its patience, append says which file and why."""
    path = tmp_path / "log.sqlite"
    recorder = Recorder(texts=Texts(prompts="full"), names=LabelNames())
    log = OutcomeLog(Link(path, patience_s=0.05), recorder, Housekeeper(path, Retention()))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"log\.sqlite: cannot log an outcome: .*locked"):
        await log.append(outcome())
    other.close()
    await log.append(outcome())
    await log.close()


async def test_a_lock_that_is_not_let_go_holds_up_one_request_not_all(tmp_path: Path) -> None:
    """Held by a second process: the first row waits, those after it are told at once."""
    path = tmp_path / "log.sqlite"
    recorder = Recorder(texts=Texts(prompts="full"), names=LabelNames())
    log = OutcomeLog(Link(path, patience_s=0.3), recorder, Housekeeper(path, Retention()))
    held = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE');"
    command = (sys.executable, "-c", f"{held} print(flush=True); input()", str(path))
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:  # noqa: ASYNC220 - a moment
        assert other.stdout is not None
        await asyncio.to_thread(other.stdout.readline)
        for least_s, most_s in ((0.3, 2.0), (0.0, 0.25), (0.0, 0.25)):
            started = time.monotonic()
            with pytest.raises(StoreError, match="locked"):
                await log.append(outcome())
            assert least_s <= time.monotonic() - started < most_s
        other.kill()
    await log.append(outcome())
    await log.close()
    assert rows(path, "SELECT count(*) FROM outcomes") == [(1,)]


async def test_one_bad_row_does_not_take_others_along(tmp_path: Path) -> None:
    """A decision is logged once; a second row of its id is an error for that row alone."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    await log.append(outcome("em-1"))
    names = ("em-2", "em-1", "em-3")
    results = await asyncio.gather(
        *(log.append(outcome(name)) for name in names), return_exceptions=True
    )
    await log.close()
    assert [isinstance(result, StoreError) for result in results] == [False, True, False]
    assert rows(log.path, "SELECT decision_id FROM outcomes ORDER BY 1") == [
        ("em-1",),
        ("em-2",),
        ("em-3",),
    ]


async def test_failures_and_direct_calls_are_outcomes_too(tmp_path: Path) -> None:
    """What was never estimated has nulls where estimates would be."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    await log.append(outcome("em-1", given=failed_answer()))
    await log.append(outcome("em-2", given=answer()))
    await log.close()
    found = rows(log.path, "SELECT candidate, status, failure, familiarity, task FROM outcomes")
    assert found == [(None, 503, "overloaded", None, None), ("small", 200, None, 0.83, "11")]


async def test_a_log_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    """Rows never go into a file that nobody can see any more."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    await log.append(outcome("em-1"))
    remove(log.path)
    await log.append(outcome("em-2"))
    await log.append(outcome("em-3"))
    assert rows(log.path, "SELECT decision_id FROM outcomes") == [("em-2",), ("em-3",)]
    await log.close()


@pytest.mark.parametrize("wrong", [{"retention_days": 0}, {"max_mb": -1}, {"prompts": "hashed"}])
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Before any file is made."""
    with pytest.raises(BadInput, match=next(iter(wrong))):
        OutcomeLog.open(tmp_path / "log.sqlite", **wrong)
    assert not (tmp_path / "log.sqlite").exists()
