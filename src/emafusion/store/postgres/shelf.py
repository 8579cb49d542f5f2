"""The shelf in PostgreSQL, for all replicas."""

from __future__ import annotations

from typing import Final

import psycopg

from emafusion.store.postgres.answers import OLD, PostgresAnswers
from emafusion.store.postgres.answers import PATIENCE_S as QUICK_S
from emafusion.store.postgres.lane import Lane
from emafusion.store.postgres.shelf_batches import ACTIVE, PostgresBatches
from emafusion.store.postgres.shelf_files import PostgresFiles
from emafusion.store.postgres.shelf_responses import PostgresResponses

LOCK: Final = 0x454D4146_00000003
"""Number of the advisory lock of the one replica that tidies the shelf."""

PATIENCE_S: Final = 10.0
"""Seconds that a step may take: an upload is many megabytes."""

_DAY_S = 86_400.0
_SHARE = 0.5
"""Of the limit of size that responses may have; the other half is for files."""

_OLD_RESPONSES: Final = b"DELETE FROM emafusion.responses WHERE created_at < %s"
_EXCESS: Final = b"""
    DELETE FROM emafusion.responses WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(octet_length(items) + octet_length(body))
                OVER (ORDER BY created_at DESC, id) AS total
            FROM emafusion.responses
        ) sizes WHERE total > %s)"""
_OLD_BATCHES: Final = (
    f"DELETE FROM emafusion.batches WHERE created_at < %s AND status NOT IN ({ACTIVE})".encode()  # noqa: S608 - names of our own states
)
_OLD_FILES: Final = (
    "DELETE FROM emafusion.files WHERE coalesce(expires_at, created_at + %s) < %s AND id NOT IN "  # noqa: S608 - names of our own states
    f"(SELECT input_file FROM emafusion.batches WHERE status IN ({ACTIVE}))"
).encode()


class PostgresShelf:
    """A `Shelf` in PostgreSQL.

    `retention_days`: how long things are kept that do not say it themselves; `max_mb` (2**20
    bytes): of the whole; None sets no limit. `answers_mb`: of answers that may be given again.
    """

    def __init__(
        self,
        url: str,
        *,
        retention_days: float | None = 30.0,
        max_mb: float | None = 1024.0,
        answers_mb: float = 64.0,
    ) -> None:
        self._lane = Lane(url, doing="use the shelf", patience_s=PATIENCE_S)
        self._lasts_s = float("inf") if retention_days is None else retention_days * _DAY_S
        self._most = None if max_mb is None else int(max_mb * 2**20 * _SHARE)
        self.responses = PostgresResponses(self._lane)
        self.files = PostgresFiles(self._lane, most_bytes=self._most)
        self.batches = PostgresBatches(self._lane)
        quick = Lane(url, doing="share answers", patience_s=QUICK_S)
        self.answers = PostgresAnswers(quick, max_bytes=int(answers_mb * 2**20))

    async def tidy(self, now: float, /) -> int:
        """Forget what is past its time or too much; how many. One replica at a time does it."""

        async def work(connection: psycopg.AsyncConnection) -> int:
            async with connection.transaction():
                asked = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
                taken = await asked.fetchone()
                return await self._tidied(connection, now) if taken and taken[0] else 0

        return await self._lane.do(work)

    async def close(self) -> None:
        """Close its connections."""
        await self._lane.close()
        await self.answers.close()

    async def _tidied(self, connection: psycopg.AsyncConnection, now: float) -> int:
        steps: list[tuple[bytes, tuple[float, ...]]] = [
            (_OLD_RESPONSES, (now - self._lasts_s,)),
            (_OLD_BATCHES, (now - self._lasts_s,)),
            (_OLD_FILES, (self._lasts_s, now)),
            (OLD, ()),
        ]
        if self._most is not None:
            steps.append((_EXCESS, (self._most,)))
        return sum([(await connection.execute(sql, values)).rowcount for sql, values in steps])
