"""Batches on the shelf, and the queue that they are."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from emafusion.store.shelf.file import ShelfFile
from emafusion.store.shelf.files import put_file
from emafusion.store.shelf.kept import (
    UNDER_WAY,
    Batch,
    Counts,
    Line,
    LineAnswer,
    Page,
    written_file,
)
from emafusion.store.shelf.paging import paged

_BATCH = msgspec.json.Decoder(Batch)
_ACTIVE = ", ".join(f"'{status}'" for status in sorted(UNDER_WAY))
_PUT_LINE = """
    INSERT INTO lines (batch, number, custom_id, body) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET custom_id = excluded.custom_id, body = excluded.body
    WHERE good IS NULL"""
_ANSWER = """
    UPDATE lines SET good = ?, text = ?, body = NULL, prompt_tokens = ?, cached_tokens = ?,
        completion_tokens = ?, reasoning_tokens = ?
    WHERE batch = ? AND number = ? AND good IS NULL"""
_COUNTS = """
    SELECT coalesce(sum(good = 1), 0), coalesce(sum(good = 0), 0), coalesce(sum(prompt_tokens), 0),
        coalesce(sum(cached_tokens), 0), coalesce(sum(completion_tokens), 0),
        coalesce(sum(reasoning_tokens), 0)
    FROM lines WHERE batch = ? AND good IS NOT NULL"""


class SqliteBatches:
    """A `BatchShelf` in a SQLite file."""

    def __init__(self, file: ShelfFile) -> None:
        self._file = file

    async def put(self, batch: Batch, /, *, most: int) -> bool:
        """Keep a new batch, unless its owner has `most` under way."""

        def work(connection: sqlite3.Connection) -> bool:
            count = f"SELECT count(*) FROM batches WHERE owner = ? AND status IN ({_ACTIVE})"  # noqa: S608 - names of our own states
            if connection.execute(count, (batch.owner,)).fetchone()[0] >= most:
                return False
            insert = (
                "INSERT INTO batches (id, owner, created_at, status, state) VALUES (?, ?, ?, ?, ?)"
            )
            state = msgspec.json.encode(batch).decode()
            row = (batch.id, batch.owner, batch.created_at, batch.status, state)
            connection.execute(insert, row)
            return True

        return await self._file.do(work)

    async def get(self, key: str, /, *, owner: str | None) -> Batch | None:
        """The batch of that id."""

        def work(connection: sqlite3.Connection) -> str | None:
            select = "SELECT state FROM batches WHERE id = ? AND owner = coalesce(?, owner)"
            row = connection.execute(select, (key, owner)).fetchone()
            return None if row is None else str(row[0])

        state = await self._file.do(work)
        return None if state is None else _BATCH.decode(state)

    async def page_of(self, page: Page, /, *, owner: str) -> list[Batch]:
        """A part of the list."""

        def work(connection: sqlite3.Connection) -> list[tuple[str]]:
            select = "SELECT state FROM batches WHERE owner = ?"
            return connection.execute(*paged(connection, select, (owner,), page=page)).fetchall()

        return [_BATCH.decode(state) for (state,) in await self._file.do(work)]

    async def counts(self, key: str, /) -> Counts:
        """How far it has come."""
        return await self._file.do(lambda connection: _counted(connection, key))

    async def claim(self, worker: str, /, *, lasts_s: float) -> Batch | None:
        """Take the oldest batch under way that nobody works on."""
        if not self._file.path.exists():
            return None  # nothing was ever put there: no file is made to find that out
        free = (
            f"SELECT id, state FROM batches WHERE status IN ({_ACTIVE}) "  # noqa: S608 - names of our own states
            "AND (worker IS NULL OR worker_until <= ?) ORDER BY number LIMIT 1"
        )

        def work(connection: sqlite3.Connection) -> str | None:
            now = time.time()
            row = connection.execute(free, (now,)).fetchone()
            if row is None:
                return None
            take = "UPDATE batches SET worker = ?, worker_until = ? WHERE id = ?"
            connection.execute(take, (worker, now + lasts_s, row[0]))
            return str(row[1])

        state = await self._file.do(work)
        return None if state is None else _BATCH.decode(state)

    async def hold(self, key: str, worker: str, /, *, lasts_s: float) -> bool:
        """Keep a claimed batch for longer."""

        def work(connection: sqlite3.Connection) -> bool:
            update = "UPDATE batches SET worker_until = ? WHERE id = ? AND worker = ?"
            until = time.time() + lasts_s
            return connection.execute(update, (until, key, worker)).rowcount > 0

        return await self._file.do(work)

    async def workers(self) -> list[str]:
        """Who has claimed something."""
        if not self._file.path.exists():
            return []

        def work(connection: sqlite3.Connection) -> list[tuple[str]]:
            select = "SELECT DISTINCT worker FROM batches WHERE worker IS NOT NULL"
            return connection.execute(select).fetchall()

        return [worker for (worker,) in await self._file.do(work)]

    async def free(self, worker: str, /) -> None:
        """Let others have what a worker that has died had claimed."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE batches SET worker = NULL WHERE worker = ?", (worker,))

        await self._file.do(work)

    async def fill(self, key: str, lines: Sequence[Line], /) -> None:
        """Put lines into a batch that is validating."""
        rows = [(key, line.number, line.custom_id, line.body) for line in lines]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT_LINE, rows)

        await self._file.do(work)

    async def open_lines(self, key: str, /, *, after: int, limit: int) -> list[Line]:
        """Lines that have no answer yet."""
        select = (
            "SELECT number, custom_id, body FROM lines "
            "WHERE batch = ? AND good IS NULL AND number > ? ORDER BY number LIMIT ?"
        )

        def work(connection: sqlite3.Connection) -> list[tuple[int, str, bytes]]:
            return connection.execute(select, (key, after, limit)).fetchall()

        rows = await self._file.do(work)
        return [Line(number=number, custom_id=own, body=body) for number, own, body in rows]

    async def answer(self, key: str, answers: Sequence[LineAnswer], /) -> None:
        """Keep what came of some lines; the first answer stays."""
        rows = [
            (
                int(answer.good),
                answer.text,
                answer.prompt_tokens,
                answer.cached_tokens,
                answer.completion_tokens,
                answer.reasoning_tokens,
                key,
                answer.number,
            )
            for answer in answers
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_ANSWER, rows)

        await self._file.do(work)

    async def move(self, batch: Batch, /, *, old: frozenset[str]) -> bool:
        """Replace a batch by a later state of it."""

        def work(connection: sqlite3.Connection) -> bool:
            row = connection.execute("SELECT status FROM batches WHERE id = ?", (batch.id,))
            found = row.fetchone()
            if found is None or found[0] not in old:
                return False
            later = batch
            if batch.status not in UNDER_WAY:
                later = replace(batch, counts=_counted(connection, batch.id))
                _end(connection, batch)
            update = "UPDATE batches SET status = ?, state = ? WHERE id = ?"
            state = msgspec.json.encode(later).decode()
            connection.execute(update, (batch.status, state, batch.id))
            return True

        return await self._file.do(work)


def _counted(connection: sqlite3.Connection, key: str) -> Counts:
    done, failed, prompt, cached, completion, reasoning = connection.execute(
        _COUNTS, (key,)
    ).fetchone()
    return Counts(
        completed=done,
        failed=failed,
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=completion,
        reasoning_tokens=reasoning,
    )


def _end(connection: sqlite3.Connection, batch: Batch) -> None:
    """Let the output's files come to be, and nobody work on it any more."""
    connection.execute("UPDATE batches SET worker = NULL WHERE id = ?", (batch.id,))
    connection.execute("UPDATE lines SET body = NULL WHERE batch = ?", (batch.id,))
    measure = (
        "SELECT count(*), coalesce(sum(length(text) + 1), 0) FROM lines "
        "WHERE batch = ? AND good = ?"
    )
    for good in (True, False):
        count, size = connection.execute(measure, (batch.id, good)).fetchone()
        if count:
            put_file(connection, written_file(batch, good=good, size=size))
