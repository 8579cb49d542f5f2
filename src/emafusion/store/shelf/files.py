"""Files on the shelf: what was uploaded, and what batches have written."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator

from emafusion.store.shelf.file import ShelfFile
from emafusion.store.shelf.kept import KeptFile, Page
from emafusion.store.shelf.paging import paged

PIECE_BYTES = 2**20
"""How much of a content is read at a time."""

LINES_AT_ONCE = 200
"""Lines of an output that are read together."""

_COLUMNS = "id, owner, created_at, expires_at, purpose, filename, size, batch"
_Row = tuple[str, str, float, float | None, str, str, int, str | None]


class SqliteFiles:
    """A `FileShelf` in a SQLite file; all files together have at most `most_bytes`."""

    def __init__(self, file: ShelfFile, *, most_bytes: int | None) -> None:
        self._file = file
        self._most_bytes = most_bytes

    async def put(self, file: KeptFile, data: bytes, /) -> bool:
        """Keep it; False where there is no room for it."""

        def work(connection: sqlite3.Connection) -> bool:
            if self._most_bytes is not None:
                total = "SELECT coalesce(sum(size), 0) FROM files"
                if connection.execute(total).fetchone()[0] + len(data) > self._most_bytes:
                    return False
            put_file(connection, file)
            connection.execute("INSERT INTO contents (id, data) VALUES (?, ?)", (file.id, data))
            return True

        return await self._file.do(work)

    async def get(self, key: str, /, *, owner: str) -> KeptFile | None:
        """The file of that id, without its content."""
        select = f"SELECT {_COLUMNS} FROM files WHERE id = ? AND owner = ?"  # noqa: S608 - names of our own columns

        def work(connection: sqlite3.Connection) -> _Row | None:
            row: _Row | None = connection.execute(select, (key, owner)).fetchone()
            return row

        row = await self._file.do(work)
        return None if row is None else _kept(row)

    async def page_of(self, page: Page, /, *, owner: str, purpose: str | None) -> list[KeptFile]:
        """A part of the list."""
        where = "owner = ?" if purpose is None else "owner = ? AND purpose = ?"
        values = (owner,) if purpose is None else (owner, purpose)

        select = f"SELECT {_COLUMNS} FROM files WHERE {where}"  # noqa: S608 - names of our own columns

        def work(connection: sqlite3.Connection) -> list[_Row]:
            return connection.execute(*paged(connection, select, values, page=page)).fetchall()

        return [_kept(row) for row in await self._file.do(work)]

    async def content(self, file: KeptFile, /) -> AsyncIterator[bytes]:
        """The content, in pieces; what a batch has written is put together from its lines."""
        piece, at = await self._read(file, 0)
        while piece:
            yield piece
            piece, at = await self._read(file, at)

    async def _read(self, file: KeptFile, at: int) -> tuple[bytes, int]:
        """The piece that begins at a place, and the place of the next."""
        if file.batch is not None:
            return await self._file.do(lambda connection: _lines(connection, file, at))
        return await self._file.do(lambda connection: _piece(connection, file.id, at))

    async def drop(self, key: str, /, *, owner: str) -> bool:
        """Forget it with its content; whether it was there."""

        def work(connection: sqlite3.Connection) -> bool:
            delete = "DELETE FROM files WHERE id = ? AND owner = ?"
            if connection.execute(delete, (key, owner)).rowcount == 0:
                return False
            connection.execute("DELETE FROM contents WHERE id = ?", (key,))
            return True

        return await self._file.do(work)


def put_file(connection: sqlite3.Connection, file: KeptFile) -> None:
    """Write a file's row."""
    insert = f"INSERT OR IGNORE INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - names of our own columns
    connection.execute(
        insert,
        (
            file.id,
            file.owner,
            file.created_at,
            file.expires_at,
            file.purpose,
            file.filename,
            file.size,
            file.batch,
        ),
    )


def _piece(connection: sqlite3.Connection, key: str, at: int) -> tuple[bytes, int]:
    select = "SELECT substr(data, ?, ?) FROM contents WHERE id = ?"
    row = connection.execute(select, (at + 1, PIECE_BYTES, key)).fetchone()
    piece = b"" if row is None else bytes(row[0])
    return piece, at + len(piece)


def _lines(connection: sqlite3.Connection, file: KeptFile, at: int) -> tuple[bytes, int]:
    good = int(file.id.endswith("out"))
    select = (
        "SELECT number, text FROM lines WHERE batch = ? AND good = ? AND number > ? "
        "ORDER BY number LIMIT ?"
    )
    rows = connection.execute(select, (file.batch, good, at, LINES_AT_ONCE)).fetchall()
    piece = b"".join(bytes(text) + b"\n" for _, text in rows)
    return piece, rows[-1][0] if rows else at


def _kept(row: _Row) -> KeptFile:
    key, owner, created_at, expires_at, purpose, filename, size, batch = row
    return KeptFile(
        id=key,
        owner=owner,
        created_at=created_at,
        expires_at=expires_at,
        purpose=purpose,
        filename=filename,
        size=size,
        batch=batch,
    )
