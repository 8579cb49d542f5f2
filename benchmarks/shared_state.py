"""What shared state costs: several processes on one log, retention while serving, servers.

    python benchmarks/shared_state.py processes     # 1, 2 and 4 processes append to one SQLite file
    python benchmarks/shared_state.py retention     # appends while 5,000 old rows are removed
    python benchmarks/shared_state.py answers       # an idempotency key, by way of a file
    python benchmarks/shared_state.py postgres      # appends, budgets, keys; EMA_POSTGRES: its URL
    python benchmarks/shared_state.py valkey        # limits, keys; EMA_VALKEY: its URL

Prints milliseconds: p50, p99, worst, and operations a second.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec.structs import replace
from tests.store.outcomes import outcome

from emafusion.store.answers.ports import Answers, Entry
from emafusion.store.connection import connect, open_log
from emafusion.store.estimates import LabelNames
from emafusion.store.housekeeping import Housekeeper, Retention
from emafusion.store.keys.ports import Charge, Counter, Meter
from emafusion.store.log import OutcomeLog
from emafusion.store.recording import Recorder
from emafusion.store.rows import insert, to_row
from emafusion.store.shelf.sqlite_shelf import SqliteShelf
from emafusion.store.texts import Texts

SECONDS = 4.0
RECORDER = Recorder(texts=Texts(prompts="full"), names=LabelNames())


async def timed(
    one: Callable[[int], Awaitable[object]], *, seconds: float = SECONDS
) -> list[float]:
    """Seconds of each of as many as fit, one after the other, 100 a second at most."""
    took, ends, number = list[float](), time.perf_counter() + seconds, 0
    while time.perf_counter() < ends:
        begun = time.perf_counter()
        await one(number)
        took.append(time.perf_counter() - begun)
        number += 1
    return took


def told(what: str, took: list[float]) -> None:
    """One line."""
    took = sorted(took)
    p50, p99, worst = took[len(took) // 2], took[len(took) * 99 // 100], took[-1]
    rate = len(took) / sum(took)
    print(f"{what:44} {p50 * 1e3:8.3f} {p99 * 1e3:8.3f} {worst * 1e3:9.2f} {rate:8.0f}/s")


async def append_until(path: Path, name: str) -> list[float]:
    """Append to a log, one row after the other."""
    log = OutcomeLog.open(path, tends=name == "0")
    took = await timed(lambda n: log.append(outcome(f"em-{name}-{n}")))
    await log.close()
    return took


def one_process(path: str, name: str, out: multiprocessing.Queue[list[float]]) -> None:
    """A worker."""
    out.put(asyncio.run(append_until(Path(path), name)))


def processes() -> None:
    """More and more processes on one file."""
    for count in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder:
            path, out = f"{folder}/log.sqlite", multiprocessing.Queue()
            open_log(Path(path))
            made = [
                multiprocessing.Process(target=one_process, args=(path, str(n), out))
                for n in range(count)
            ]
            for each in made:
                each.start()
            took = [out.get() for _ in made]
            for each in made:
                each.join()
            told(f"{count} processes, each", [each for some in took for each in some])


def retention() -> None:
    """Old rows go while new ones come."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        open_log(path)
        connection = connect(path, patience_s=5.0)
        old = time.time() - 90 * 86_400
        for start in range(0, 5_000, 1000):
            made = (outcome(f"old-{n}", created_at=old + n) for n in range(start, start + 1000))
            insert(connection, [to_row(RECORDER.record(each)) for each in made])
        connection.close()
        told("appends, nothing to remove", asyncio.run(_beside(path, None)))
        told("appends, 5,000 rows being removed", asyncio.run(_beside(path, Retention(days=30))))


async def _beside(path: Path, kept: Retention | None) -> list[float]:
    log = OutcomeLog.open(path, tends=False)
    keeper = Housekeeper(path, kept or Retention(days=None, max_bytes=None))
    tidying = asyncio.ensure_future(asyncio.to_thread(keeper.tidy))
    name = "kept" if kept is None else "new"

    async def one(number: int) -> None:
        await log.append(outcome(f"{name}-{number}"))
        await asyncio.sleep(0)

    took = await timed(one)
    removed = await tidying
    print(f"  {removed:,} rows removed meanwhile")
    await log.close()
    return took


async def with_postgres() -> None:
    """One after the other, and fifty at once."""
    from emafusion.store.postgres.link import checked_url
    from emafusion.store.postgres.opening import open_postgres_keys, open_postgres_log
    from emafusion.store.postgres.shelf import PostgresShelf

    url = checked_url(os.environ["EMA_POSTGRES"], where="EMA_POSTGRES")
    log = open_postgres_log(
        url, prompts="full", names=LabelNames(), retention_days=30.0, max_mb=None
    )
    run = time.time_ns()
    told("PostgreSQL: append", await timed(lambda n: log.append(outcome(f"em-{run}-{n}"))))

    async def fifty(number: int) -> None:
        await asyncio.gather(*(log.append(outcome(f"em-{run}-{number}-{n}")) for n in range(50)))

    told("PostgreSQL: 50 appends at once", await timed(fifty))
    await log.close()
    keys, meter = open_postgres_keys(url)
    told("PostgreSQL: reserve and settle", await timed(lambda n: _pay(meter, f"{run}-{n}")))
    await keys.close()
    await meter.close()
    shelf = PostgresShelf(url)
    told("PostgreSQL: claim a key, keep its answer", await timed(lambda n: _once(shelf.answers, n)))
    await shelf.close()


async def with_valkey() -> None:
    """One after the other."""
    from emafusion.store.valkey.answers import ValkeyAnswers
    from emafusion.store.valkey.link import open_client
    from emafusion.store.valkey.meter import ValkeyMeter

    meter, run = ValkeyMeter(open_client(os.environ["EMA_VALKEY"])), time.time_ns()
    told("Valkey: reserve and settle", await timed(lambda n: _pay(meter, f"{run}-{n}")))
    await meter.close()
    answers = ValkeyAnswers(open_client(os.environ["EMA_VALKEY"]), max_bytes=64 * 2**20)
    told("Valkey: claim a key, keep its answer", await timed(lambda n: _once(answers, n)))
    await answers.close()


async def with_file() -> None:
    """The same where workers share a file."""
    with tempfile.TemporaryDirectory() as folder:
        shelf = SqliteShelf(Path(folder) / "shelf.sqlite")
        told("SQLite: claim a key, keep its answer", await timed(lambda n: _once(shelf.answers, n)))
        await shelf.close()


async def _once(answers: Answers, number: int) -> None:
    """A key that nobody used before, and an answer of 2 KB."""
    name = f"{time.time_ns()}-{number}".encode()
    mine = Entry(request=b"q" * 16, worker="w")
    await answers.claim(name, mine, lasts_s=12.0)
    await answers.keep(name, replace(mine, value=b"x" * 2_000), lasts_s=60.0)


async def _pay(meter: Meter, hold: str) -> None:
    now = time.time()
    window = Counter(name="k/requests/minute", starts_s=now // 60 * 60, ends_s=now // 60 * 60 + 60)
    charges = (Charge(counter=window, amount=1.0, limit=1e9),)
    await meter.reserve(hold, charges, now_s=now, until_s=now + 60)
    await meter.settle(hold, charges, now_s=now)


if __name__ == "__main__":
    print(f"{'':44} {'p50 ms':>8} {'p99 ms':>8} {'worst ms':>9}")
    match sys.argv[1]:
        case "processes":
            processes()
        case "retention":
            retention()
        case "answers":
            asyncio.run(with_file())
        case "postgres":
            asyncio.run(with_postgres())
        case _:
            asyncio.run(with_valkey())
