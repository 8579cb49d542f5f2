"""Responses on the shelf."""

from __future__ import annotations

import sqlite3

from emafusion.store.shelf.file import ShelfFile
from emafusion.store.shelf.kept import KeptResponse

LONGEST_CHAIN = 1000
"""Responses that one conversation may have; more of its beginning is not read."""

_COLUMNS = "id, owner, created_at, previous, items, body"
_CHAIN = f"""
    WITH RECURSIVE chain (depth, {_COLUMNS}) AS (
        SELECT 0, {_COLUMNS} FROM responses WHERE id = :key AND owner = :owner
        UNION ALL
        SELECT depth + 1, {", ".join("r." + name for name in _COLUMNS.split(", "))}
        FROM responses r JOIN chain c ON r.id = c.previous
        WHERE r.owner = :owner AND depth < :most
    )
    SELECT {_COLUMNS} FROM chain ORDER BY depth DESC"""  # noqa: S608 - names of our own columns
_Row = tuple[str, str, float, str | None, bytes, bytes]


class SqliteResponses:
    """A `ResponseShelf` in a SQLite file."""

    def __init__(self, file: ShelfFile) -> None:
        self._file = file

    async def put(self, response: KeptResponse, /) -> None:
        """Keep it."""
        row = (
            response.id,
            response.owner,
            response.created_at,
            response.previous,
            response.items,
            response.body,
        )
        insert = f"INSERT OR REPLACE INTO responses ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - names of our own columns

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(insert, row)

        await self._file.do(work)

    async def get(self, key: str, /, *, owner: str) -> KeptResponse | None:
        """The response of that id; None if it is not there, or another's."""
        select = f"SELECT {_COLUMNS} FROM responses WHERE id = ? AND owner = ?"  # noqa: S608 - names of our own columns

        def work(connection: sqlite3.Connection) -> _Row | None:
            row: _Row | None = connection.execute(select, (key, owner)).fetchone()
            return row

        row = await self._file.do(work)
        return None if row is None else _kept(row)

    async def chain(self, key: str, /, *, owner: str) -> tuple[KeptResponse, ...]:
        """That response and those it goes on from, oldest first."""
        wanted = {"key": key, "owner": owner, "most": LONGEST_CHAIN - 1}

        def work(connection: sqlite3.Connection) -> list[_Row]:
            return connection.execute(_CHAIN, wanted).fetchall()

        return tuple([_kept(row) for row in await self._file.do(work)])

    async def drop(self, key: str, /, *, owner: str) -> bool:
        """Forget it; whether it was there."""

        def work(connection: sqlite3.Connection) -> bool:
            delete = "DELETE FROM responses WHERE id = ? AND owner = ?"
            return connection.execute(delete, (key, owner)).rowcount > 0

        return await self._file.do(work)


def _kept(row: _Row) -> KeptResponse:
    key, owner, created_at, previous, items, body = row
    return KeptResponse(
        id=key, owner=owner, created_at=created_at, previous=previous, items=items, body=body
    )
