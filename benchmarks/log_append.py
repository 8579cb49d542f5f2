"""What logging a request adds to it: `OutcomeLog.append` against the same commit by a thread.

    python benchmarks/log_append.py [--folder DIR] [--rows N]

Prints, for one append at a time on an otherwise idle event loop: the p50 of `append`, of building
the row alone, and of the baseline, in which a queue hands a ready row to a writer thread that
commits it and wakes the loop. Both write to files in DIR, with the settings of the log.
"""

from __future__ import annotations

import argparse
import asyncio
import queue
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.store.outcomes import escalated_answer, outcome

from emafusion.store.connection import connect, open_log
from emafusion.store.estimates import LabelNames
from emafusion.store.log import OutcomeLog
from emafusion.store.recording import Recorder
from emafusion.store.rows import Row, insert, to_row
from emafusion.store.texts import Texts

_Job = tuple[Row, asyncio.AbstractEventLoop, asyncio.Future[None]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--rows", type=int, default=3000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        uvloop.run(_measure(Path(folder), given.rows))


async def _measure(folder: Path, rows: int) -> None:
    recorder = Recorder(texts=Texts(prompts="full"), names=LabelNames())
    template = outcome(given=escalated_answer("word " * 100), prompt="why " * 60)
    log = OutcomeLog.open(folder / "log.sqlite")
    hand_over = _writer_thread(folder / "thread.sqlite")
    build, append, thread = list[float](), list[float](), list[float]()
    for number in range(rows):
        each = replace(template, decision_id=f"em-{number:06}")
        # Every tenth time the loop goes idle, as a gateway's does.
        await asyncio.sleep(0 if number % 10 else 0.0005)
        started = time.perf_counter()
        row = to_row(recorder.record(each))
        build.append(time.perf_counter() - started)
        append.append(await _timed(log.append(each)))
        await asyncio.sleep(0 if number % 10 else 0.0005)
        thread.append(await _timed(hand_over(row)))
    await log.close()
    _show(_p50_us(build), _p50_us(append), _p50_us(thread))


def _show(build_us: float, append_us: float, thread_us: float) -> None:
    print(f"append {append_us:.0f} us: building the row {build_us:.0f}, the rest is its commit")
    print(f"baseline {build_us + thread_us:.0f} us: the same, and a writer thread {thread_us:.0f}")
    print(f"ratio {append_us / (build_us + thread_us):.2f}")


async def _timed(work: Awaitable[None]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


def _p50_us(took: list[float]) -> float:
    return sorted(took)[len(took) // 2] * 1e6


def _writer_thread(path: Path) -> Callable[[Row], Awaitable[None]]:
    """The baseline: a queue, a thread, and word back to the loop."""
    open_log(path)
    jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
    connection = connect(path, patience_s=1.0)
    threading.Thread(target=_write, args=(connection, jobs), daemon=True).start()

    async def hand_over(row: Row) -> None:
        loop = asyncio.get_running_loop()
        written = loop.create_future()
        jobs.put((row, loop, written))
        await written

    return hand_over


def _write(connection: sqlite3.Connection, jobs: queue.SimpleQueue[_Job]) -> None:
    while True:
        row, loop, written = jobs.get()
        insert(connection, [row])
        loop.call_soon_threadsafe(written.set_result, None)


if __name__ == "__main__":
    main()
