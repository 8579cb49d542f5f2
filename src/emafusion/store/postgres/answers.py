"""Answers in PostgreSQL, for all replicas."""

from __future__ import annotations

from typing import Final

import psycopg

from emafusion.store.answers.ports import Entry
from emafusion.store.postgres.lane import Lane

PATIENCE_S: Final = 1.0
"""Seconds that a step may take: it is on the path of a request."""

_UNTIL: Final = "clock_timestamp() + make_interval(secs => %(lasts_s)s)"
_FIND: Final = (
    b"SELECT value FROM emafusion.answers WHERE name = %b AND until_at > clock_timestamp()"
)
_KEEP: Final = (
    "INSERT INTO emafusion.answers (name, request, worker, value, until_at) "  # noqa: S608 - own words
    f"VALUES (%(name)b, %(request)b, %(worker)s, %(value)b, {_UNTIL}) "
    "ON CONFLICT (name) DO UPDATE SET request = excluded.request, worker = excluded.worker, "
    "value = excluded.value, until_at = excluded.until_at"
).encode()
_CLAIM: Final = (
    "WITH mine AS ("  # noqa: S608 - own words
    "INSERT INTO emafusion.answers AS a (name, request, worker, until_at) "
    f"VALUES (%(name)b, %(request)b, %(worker)s, {_UNTIL}) "
    "ON CONFLICT (name) DO UPDATE SET request = excluded.request, worker = excluded.worker, "
    "value = NULL, until_at = excluded.until_at WHERE a.until_at <= clock_timestamp() "
    "RETURNING request, worker, value) "
    "SELECT * FROM mine UNION ALL SELECT request, worker, value FROM emafusion.answers "
    "WHERE name = %(name)b AND NOT EXISTS (SELECT 1 FROM mine)"
).encode()
_HOLD: Final = (
    f"UPDATE emafusion.answers SET until_at = {_UNTIL} "  # noqa: S608 - own words
    "WHERE name = %(name)b AND worker = %(worker)s AND value IS NULL RETURNING name"
).encode()
_FREE: Final = b"DELETE FROM emafusion.answers WHERE name = %b AND worker = %s AND value IS NULL"
OLD: Final = b"DELETE FROM emafusion.answers WHERE until_at <= clock_timestamp()"
_EXCESS: Final = b"""
    DELETE FROM emafusion.answers WHERE name IN (
        SELECT name FROM (
            SELECT name, sum(octet_length(value)) OVER (ORDER BY until_at DESC, name) AS total
            FROM emafusion.answers WHERE value IS NOT NULL
        ) sizes WHERE total > %s)"""


class PostgresAnswers:
    """`Answers` in PostgreSQL; values of `max_bytes` together, about."""

    def __init__(self, lane: Lane, *, max_bytes: int) -> None:
        self._lane = lane
        self._max_bytes = max_bytes
        self._fresh_bytes = max_bytes  # so that it is tidied at the first chance

    async def find(self, name: bytes, /) -> bytes | None:
        """The value under a name."""
        rows = await self._lane.ask(_FIND, (name,))
        return rows[0][0] if rows else None

    async def keep(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> None:
        """Put a value under a name."""
        await self._lane.ask(_KEEP, _values(name, entry, lasts_s))
        self._fresh_bytes += len(entry.value or b"")
        if self._fresh_bytes * 8 >= self._max_bytes:
            self._fresh_bytes = 0
            await self._lane.do(self._tidied)

    async def claim(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> Entry:
        """What stands under a name, else this claim."""
        while True:
            rows = await self._lane.ask(_CLAIM, _values(name, entry, lasts_s))
            if rows:  # none where another came to be while this was asked
                request, worker, value = rows[0]
                return Entry(request=request, worker=worker, value=value)

    async def hold(self, name: bytes, worker: str, /, *, lasts_s: float) -> bool:
        """Let a claim stand for longer."""
        return bool(
            await self._lane.ask(_HOLD, {"name": name, "worker": worker, "lasts_s": lasts_s})
        )

    async def free(self, name: bytes, worker: str, /) -> None:
        """End a claim."""
        await self._lane.ask(_FREE, (name, worker))

    async def close(self) -> None:
        """Close its connections."""
        await self._lane.close()

    async def _tidied(self, connection: psycopg.AsyncConnection) -> None:
        """Forget what is past its time or too much."""
        await connection.execute(OLD)
        await connection.execute(_EXCESS, (self._max_bytes,))


def _values(name: bytes, entry: Entry, lasts_s: float) -> dict[str, object]:
    return {
        "name": name,
        "request": entry.request,
        "worker": entry.worker,
        "value": entry.value,
        "lasts_s": lasts_s,
    }
