"""A disk that is full, and a file that is not ours."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from emafusion.store.errors import StoreError
from emafusion.store.log import OutcomeLog

FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from emafusion.store.errors import StoreError
from emafusion.store.log import OutcomeLog
from tests.store.outcomes import outcome

async def main(path):
    log = OutcomeLog.open(Path(path))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    kept = 0
    try:
        for kept in range(1000):
            await log.append(outcome(f"em-{kept}"))
    except StoreError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        await log.append(outcome("em-later"))
        await log.close()
        print(kept, error)

asyncio.run(main(sys.argv[1]))
"""


def test_a_full_disk_is_said_and_nothing_before_it_is_lost(tmp_path: Path) -> None:
    """Append raises one line; what was kept stays; it goes on when there is room again."""
    path = tmp_path / "log.sqlite"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    kept, error = done.stdout.split(" ", 1)
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT count(*) FROM outcomes").fetchone()[0]
    connection.close()
    assert found == int(kept) + 1 > 10
    assert error.startswith(f"{path}: cannot log an outcome: ")
    assert error.count("\n") == 1


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """One line, and not a byte changed."""
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n" * 100)
    with pytest.raises(StoreError, match="not a database"):
        OutcomeLog.open(path)
    assert path.read_text() == "shopping list\n" * 100


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """One line that names it."""
    with pytest.raises(StoreError, match="cannot open the log: Is a directory"):
        OutcomeLog.open(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """One line that names it."""
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="cannot open the log"):
        OutcomeLog.open(tmp_path / "home" / "log.sqlite")
