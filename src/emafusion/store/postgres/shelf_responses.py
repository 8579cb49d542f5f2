"""Responses on the shelf in PostgreSQL."""

from __future__ import annotations

from typing import Final

from psycopg.rows import TupleRow

from emafusion.store.postgres.lane import Lane
from emafusion.store.postgres.rows import plain
from emafusion.store.shelf.kept import KeptResponse
from emafusion.store.shelf.responses import LONGEST_CHAIN

_COLUMNS: Final = KeptResponse.__struct_fields__
_NAMES: Final = ", ".join(_COLUMNS)
_PUT: Final = (
    f"INSERT INTO emafusion.responses ({_NAMES}) VALUES (%s, %s, %s, %b, %b, %s) "  # noqa: S608 - own names
    "ON CONFLICT (id) DO UPDATE SET items = excluded.items, body = excluded.body "
    "WHERE responses.owner = excluded.owner"
).encode()
_GET: Final = (
    f"SELECT {_NAMES} FROM emafusion.responses WHERE id = %s AND owner = %s".encode()  # noqa: S608 - own names
)
_CHAIN: Final = f"""
    WITH RECURSIVE chain AS (
        SELECT 0 AS depth, {_NAMES} FROM emafusion.responses
        WHERE id = %(key)s AND owner = %(owner)s
        UNION ALL
        SELECT depth + 1, {", ".join(f"r.{name}" for name in _COLUMNS)}
        FROM emafusion.responses r JOIN chain c ON r.id = c.previous
        WHERE r.owner = %(owner)s AND depth < %(most)s
    )
    SELECT {_NAMES} FROM chain ORDER BY depth DESC""".encode()  # noqa: S608 - own names
_DROP: Final = b"DELETE FROM emafusion.responses WHERE id = %s AND owner = %s RETURNING id"


class PostgresResponses:
    """A `ResponseShelf` in PostgreSQL."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def put(self, response: KeptResponse, /) -> None:
        """Keep it."""
        values = [getattr(response, name) for name in _COLUMNS]
        await self._lane.ask(_PUT, values)

    async def get(self, key: str, /, *, owner: str) -> KeptResponse | None:
        """The response of that id; None if it is not there, or another's."""
        rows = await self._lane.ask(_GET, (plain(key), owner))
        return _kept(rows[0]) if rows else None

    async def chain(self, key: str, /, *, owner: str) -> tuple[KeptResponse, ...]:
        """That response and those it goes on from, oldest first."""
        wanted = {"key": plain(key), "owner": owner, "most": LONGEST_CHAIN - 1}
        return tuple([_kept(row) for row in await self._lane.ask(_CHAIN, wanted)])

    async def drop(self, key: str, /, *, owner: str) -> bool:
        """Forget it; whether it was there."""
        return bool(await self._lane.ask(_DROP, (plain(key), owner)))


def _kept(row: TupleRow) -> KeptResponse:
    return KeptResponse(**dict(zip(_COLUMNS, row, strict=True)))
