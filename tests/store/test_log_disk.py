"""A disk that is full, and a file that is not ours."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.outcomes import outcome

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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    at = tmp_path / "disk"
    at.mkdir()
    made = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(at)),
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("needs the right to mount")
    yield at
    subprocess.run(("umount", "--lazy", str(at)), check=True)


async def test_a_file_system_that_is_full_is_told_and_used_again(small_disk: Path) -> None:
    """Each row is kept or told as lost; once there is room they are kept again."""
    path = small_disk / "log.sqlite"
    log, said, kept = OutcomeLog.open(path), set[str](), 0
    for number in range(400):
        try:
            await log.append(outcome(f"em-{number}", prompt="word " * 2000))
            kept += 1
        except StoreError as error:
            said.add(str(error).partition(": cannot log an outcome: ")[2])
    assert said == {"database or disk is full"}
    assert kept > 10
    subprocess.run(("mount", "-o", "remount,size=16m", str(small_disk)), check=True)  # noqa: ASYNC221 - a moment
    await log.append(outcome("em-later"))
    await log.close()
    assert found_in(path) == kept + 1


def found_in(path: Path) -> int:
    """Rows in the file."""
    connection = sqlite3.connect(path)
    found = int(connection.execute("SELECT count(*) FROM outcomes").fetchone()[0])
    connection.close()
    return found
