"""Files on the shelf in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import msgspec
import psycopg
from psycopg.rows import TupleRow

from emafusion.store.postgres.lane import Lane
from emafusion.store.postgres.rows import plain
from emafusion.store.postgres.shelf_paging import page_in
from emafusion.store.shelf.files import LINES_AT_ONCE, PIECE_BYTES
from emafusion.store.shelf.kept import KeptFile, Page

LOCK: Final = 0x454D4146_00000004
"""Number of the advisory lock under which room is found for a file."""

_FILE = msgspec.json.Decoder(KeptFile)
_SIZE: Final = b"SELECT coalesce(sum(size), 0)::bigint FROM emafusion.files"
_PUT: Final = (
    b"INSERT INTO emafusion.files (id, owner, created_at, expires_at, purpose, size, state) "
    b"VALUES (%s, %s, %s, %s, %s, %s, %b) ON CONFLICT DO NOTHING"
)
_FILL: Final = b"INSERT INTO emafusion.contents (id, data) VALUES (%s, %b)"
_GET: Final = b"SELECT state FROM emafusion.files WHERE id = %s AND owner = %s"
_PIECE: Final = b"SELECT substring(data FROM %s FOR %s) FROM emafusion.contents WHERE id = %s"
_LINES: Final = (
    b"SELECT number, text FROM emafusion.lines WHERE batch = %s AND good = %s AND number > %s "
    b"ORDER BY number LIMIT %s"
)
_DROP: Final = b"DELETE FROM emafusion.files WHERE id = %s AND owner = %s RETURNING id"


class PostgresFiles:
    """A `FileShelf` in PostgreSQL; all files together have at most `most_bytes`."""

    def __init__(self, lane: Lane, *, most_bytes: int | None) -> None:
        self._lane = lane
        self._most_bytes = most_bytes

    async def put(self, file: KeptFile, data: bytes, /) -> bool:
        """Keep it; False where there is no room for it."""

        async def work(connection: psycopg.AsyncConnection) -> bool:
            async with connection.transaction():
                if not await self._has_room(connection, len(data)):
                    return False
                await put_file(connection, file)
                await connection.execute(_FILL, (file.id, data))
            return True

        return await self._lane.do(work)

    async def get(self, key: str, /, *, owner: str) -> KeptFile | None:
        """The file of that id, without its content."""
        rows = await self._lane.ask(_GET, (plain(key), owner))
        return _kept(rows[0]) if rows else None

    async def page_of(self, page: Page, /, *, owner: str, purpose: str | None) -> list[KeptFile]:
        """A part of the list."""
        among = "owner = %s" if purpose is None else "owner = %s AND purpose = %s"
        values = (owner,) if purpose is None else (owner, plain(purpose))
        return [
            _kept(row) for row in await page_in(self._lane, "files", page, among=(among, values))
        ]

    async def content(self, file: KeptFile, /) -> AsyncIterator[bytes]:
        """The content, in pieces; what a batch has written is put together from its lines."""
        piece, at = await self._read(file, 0)
        while piece:
            yield piece
            piece, at = await self._read(file, at)

    async def drop(self, key: str, /, *, owner: str) -> bool:
        """Forget it with its content; whether it was there."""
        return bool(await self._lane.ask(_DROP, (plain(key), owner)))

    async def _has_room(self, connection: psycopg.AsyncConnection, size: int) -> bool:
        """Whether so many bytes still fit; others ask for room only when this is written."""
        if self._most_bytes is None:
            return True
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        found = await (await connection.execute(_SIZE)).fetchone()
        return found is not None and found[0] + size <= self._most_bytes

    async def _read(self, file: KeptFile, at: int) -> tuple[bytes, int]:
        """The piece that begins at a place, and the place of the next."""
        if file.batch is None:
            rows = await self._lane.ask(_PIECE, (at + 1, PIECE_BYTES, plain(file.id)))
            piece: bytes = rows[0][0] if rows else b""
            return piece, at + len(piece)
        good = file.id.endswith("out")
        rows = await self._lane.ask(_LINES, (file.batch, good, at, LINES_AT_ONCE))
        return b"".join([text + b"\n" for _, text in rows]), rows[-1][0] if rows else at


async def put_file(connection: psycopg.AsyncConnection, file: KeptFile) -> None:
    """Write a file's row."""
    kept = (file.id, file.owner, file.created_at, file.expires_at, file.purpose, file.size)
    await connection.execute(_PUT, (*kept, msgspec.json.encode(file)))


def _kept(row: TupleRow) -> KeptFile:
    return _FILE.decode(row[0])
