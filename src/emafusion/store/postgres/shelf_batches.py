"""Batches on the shelf in PostgreSQL, and the queue that they are for all replicas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import psycopg
from msgspec.structs import astuple, replace
from psycopg.rows import TupleRow

from emafusion.store.postgres.lane import Lane
from emafusion.store.postgres.rows import plain
from emafusion.store.postgres.shelf_files import put_file
from emafusion.store.postgres.shelf_paging import page_in
from emafusion.store.shelf.kept import (
    UNDER_WAY,
    Batch,
    Counts,
    Line,
    LineAnswer,
    Page,
    written_file,
)

ACTIVE: Final = ", ".join(f"'{status}'" for status in sorted(UNDER_WAY))
"""States of batches that somebody has still to work on, in SQL."""

LOCK: Final = 0x454D4146_00000005
"""Number of the advisory lock under which an owner's batches are counted."""

_BATCH = msgspec.json.Decoder(Batch)
_COUNT: Final = (
    f"SELECT count(*) FROM emafusion.batches WHERE owner = %s AND status IN ({ACTIVE})".encode()  # noqa: S608 - names of our own states
)
_PUT: Final = (
    b"INSERT INTO emafusion.batches (id, owner, created_at, status, input_file, state) "
    b"VALUES (%s, %s, %s, %s, %s, %b)"
)
_GET: Final = b"SELECT state FROM emafusion.batches WHERE id = %s AND owner = coalesce(%s, owner)"
_CLAIM: Final = (
    "UPDATE emafusion.batches SET worker = %s, "  # noqa: S608 - names of our own states
    "worker_until = clock_timestamp() + make_interval(secs => %s) WHERE id = ("
    f"SELECT id FROM emafusion.batches WHERE status IN ({ACTIVE}) "
    "AND (worker IS NULL OR worker_until <= clock_timestamp()) "
    "ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING state"
).encode()
_HOLD: Final = (
    b"UPDATE emafusion.batches SET worker_until = clock_timestamp() + make_interval(secs => %s) "
    b"WHERE id = %s AND worker = %s RETURNING id"
)
_WORKERS: Final = b"SELECT DISTINCT worker FROM emafusion.batches WHERE worker IS NOT NULL"
_FREE: Final = b"UPDATE emafusion.batches SET worker = NULL WHERE worker = %s"
_LINE: Final = (
    b"INSERT INTO emafusion.lines (batch, number, custom_id, body) VALUES (%s, %s, %b, %b) "
    b"ON CONFLICT (batch, number) DO UPDATE "
    b"SET custom_id = excluded.custom_id, body = excluded.body WHERE lines.good IS NULL"
)
_OPEN: Final = (
    b"SELECT number, custom_id, body FROM emafusion.lines "
    b"WHERE batch = %s AND good IS NULL AND number > %s ORDER BY number LIMIT %s"
)
_ANSWER: Final = (
    b"UPDATE emafusion.lines SET good = %s, text = %b, body = NULL, prompt_tokens = %s, "
    b"cached_tokens = %s, completion_tokens = %s, reasoning_tokens = %s "
    b"WHERE batch = %s AND number = %s AND good IS NULL"
)
_COUNTS: Final = b"""
    SELECT count(*) FILTER (WHERE good), count(*) FILTER (WHERE NOT good),
        coalesce(sum(prompt_tokens), 0)::bigint, coalesce(sum(cached_tokens), 0)::bigint,
        coalesce(sum(completion_tokens), 0)::bigint, coalesce(sum(reasoning_tokens), 0)::bigint
    FROM emafusion.lines WHERE batch = %s AND good IS NOT NULL"""
_STATUS: Final = b"SELECT status FROM emafusion.batches WHERE id = %s FOR UPDATE"
_MOVE: Final = b"UPDATE emafusion.batches SET status = %s, state = %b WHERE id = %s"
_REST: Final = b"UPDATE emafusion.batches SET worker = NULL WHERE id = %s"
_EMPTY: Final = b"UPDATE emafusion.lines SET body = NULL WHERE batch = %s AND body IS NOT NULL"
_MEASURE: Final = b"""
    SELECT good, sum(octet_length(text) + 1)::bigint FROM emafusion.lines
    WHERE batch = %s AND good IS NOT NULL GROUP BY good"""


class PostgresBatches:
    """A `BatchShelf` in PostgreSQL. Claims end by the server's clock."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def put(self, batch: Batch, /, *, most: int) -> bool:
        """Keep a new batch, unless its owner has `most` under way."""
        row = (batch.id, batch.owner, batch.created_at, batch.status, plain(batch.input_file))

        async def work(connection: psycopg.AsyncConnection) -> bool:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                found = await (await connection.execute(_COUNT, (batch.owner,))).fetchone()
                if found is None or found[0] >= most:
                    return False
                await connection.execute(_PUT, (*row, msgspec.json.encode(batch)))
            return True

        return await self._lane.do(work)

    async def get(self, key: str, /, *, owner: str | None) -> Batch | None:
        """The batch of that id."""
        return _first(await self._lane.ask(_GET, (plain(key), owner)))

    async def page_of(self, page: Page, /, *, owner: str) -> list[Batch]:
        """A part of the list."""
        rows = await page_in(self._lane, "batches", page, among=("owner = %s", (owner,)))
        return [_BATCH.decode(state) for (state,) in rows]

    async def counts(self, key: str, /) -> Counts:
        """How far it has come."""
        return _counts((await self._lane.ask(_COUNTS, (plain(key),)))[0])

    async def claim(self, worker: str, /, *, lasts_s: float) -> Batch | None:
        """Take the oldest batch under way that nobody works on."""
        return _first(await self._lane.ask(_CLAIM, (worker, lasts_s)))

    async def hold(self, key: str, worker: str, /, *, lasts_s: float) -> bool:
        """Keep a claimed batch for longer."""
        return bool(await self._lane.ask(_HOLD, (lasts_s, key, worker)))

    async def workers(self) -> list[str]:
        """Who has claimed something."""
        return [worker for (worker,) in await self._lane.ask(_WORKERS)]

    async def free(self, worker: str, /) -> None:
        """Let others have what a worker that has died had claimed."""
        await self._lane.ask(_FREE, (worker,))

    async def fill(self, key: str, lines: Sequence[Line], /) -> None:
        """Put lines into a batch that is validating."""
        rows = [(key, line.number, line.custom_id.encode(), line.body) for line in lines]
        await self._many(_LINE, rows)

    async def open_lines(self, key: str, /, *, after: int, limit: int) -> list[Line]:
        """Lines that have no answer yet."""
        rows = await self._lane.ask(_OPEN, (key, after, limit))
        return [
            Line(number=number, custom_id=own.decode(), body=body) for number, own, body in rows
        ]

    async def answer(self, key: str, answers: Sequence[LineAnswer], /) -> None:
        """Keep what came of some lines; the first answer stays."""
        rows: list[tuple[object, ...]] = []
        for each in answers:
            number, good, text, *tokens = astuple(each)
            rows.append((good, text, *tokens, key, number))
        await self._many(_ANSWER, rows)

    async def move(self, batch: Batch, /, *, old: frozenset[str]) -> bool:
        """Replace a batch by a later state of it."""

        async def work(connection: psycopg.AsyncConnection) -> bool:
            async with connection.transaction():
                found = await (await connection.execute(_STATUS, (batch.id,))).fetchone()
                if found is None or found[0] not in old:
                    return False
                later = batch if batch.status in UNDER_WAY else await _ended(connection, batch)
                state = msgspec.json.encode(later)
                await connection.execute(_MOVE, (batch.status, state, batch.id))
            return True

        return await self._lane.do(work)

    async def _many(self, sql: bytes, rows: Sequence[Sequence[object]]) -> None:
        async def work(connection: psycopg.AsyncConnection) -> None:
            async with connection.transaction(), connection.cursor() as cursor:
                await cursor.executemany(sql, rows)

        await self._lane.do(work)


async def _ended(connection: psycopg.AsyncConnection, batch: Batch) -> Batch:
    """Let the output's files come to be, and nobody work on it; the batch with its counts."""
    await connection.execute(_REST, (batch.id,))
    await connection.execute(_EMPTY, (batch.id,))
    for good, size in await (await connection.execute(_MEASURE, (batch.id,))).fetchall():
        await put_file(connection, written_file(batch, good=good, size=size))
    found = await (await connection.execute(_COUNTS, (batch.id,))).fetchall()
    return replace(batch, counts=_counts(found[0]))


def _counts(row: TupleRow) -> Counts:
    return Counts(**dict(zip(Counts.__struct_fields__, row, strict=True)))


def _first(rows: list[TupleRow]) -> Batch | None:
    return _BATCH.decode(rows[0][0]) if rows else None
