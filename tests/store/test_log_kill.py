"""A process that is killed takes nothing along that it had acknowledged."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from emafusion.store.read import LogReader

APPENDER = """
import asyncio, os, sys
from pathlib import Path
from emafusion.store.log import OutcomeLog
from tests.store.outcomes import outcome

async def one(log, name):
    await log.append(outcome(name))
    os.write(1, f"{name}\\n".encode())

async def main(path, start, at_once):
    log = OutcomeLog.open(Path(path))
    number = int(start)
    while True:
        names = [f"em-{number + n}" for n in range(int(at_once))]
        await asyncio.gather(*(one(log, name) for name in names))
        number += len(names)

asyncio.run(main(*sys.argv[1:]))
"""


def acknowledged(path: Path, *, start: int, at_once: int, lines: int) -> set[str]:
    """Let a process append, kill it after so many acknowledgements, return all it had written."""
    command = [sys.executable, "-c", APPENDER, str(path), str(start), str(at_once)]
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": root}
    ) as process:
        assert process.stdout is not None
        names = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        names += process.stdout.readlines()
    # The last line may have been cut; a name is acknowledged with its newline.
    return {name.decode().strip() for name in names if name.endswith(b"\n")}


def test_every_acknowledged_outcome_survives_kill(tmp_path: Path) -> None:
    """Killed at any moment, over and over, with one append at a time and with many."""
    path, expected, chance = tmp_path / "log.sqlite", set[str](), random.Random(7)
    for round_number in range(8):
        at_once = (1, 5, 40)[round_number % 3]
        lines = chance.randrange(1, 300)
        expected |= acknowledged(path, start=round_number * 100_000, at_once=at_once, lines=lines)
    with LogReader(path) as reader:
        found = {row.decision_id for row in reader.rows()}
    connection = sqlite3.connect(path)
    whole = connection.execute("SELECT count(*) FROM details").fetchone()[0]
    healthy = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    assert len(expected) > 8
    assert expected <= found
    assert whole == len(found)
    assert healthy == "ok"
