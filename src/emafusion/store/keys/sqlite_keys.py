"""Keys in SQLite."""

from __future__ import annotations

import sqlite3

import msgspec
from msgspec.structs import replace

from emafusion.store.keys.key import Key
from emafusion.store.keys.memory import name_taken
from emafusion.store.keys.sqlite_file import KeysFile, Work

_COLUMNS = "keys.settings, keys.created_at, keys.revoked_at"
_Row = tuple[str, float, float | None]


class SQLiteKeyStore:
    """A `KeyStore` in a file."""

    def __init__(self, file: KeysFile) -> None:
        self._file = file

    async def make(self, key: Key, digest: bytes, /) -> None:
        """Keep a new key. Raises `BadInput` where its name is taken."""

        def work(connection: sqlite3.Connection) -> None:
            _refuse_taken(connection, key)
            connection.execute(
                "INSERT INTO keys (id, name, settings, created_at) VALUES (?, ?, ?, ?)",
                (key.id, key.name, _settings(key), key.created_at),
            )
            _put_digest(connection, key.id, digest)

        await self._file.write(work, lasting=True)

    async def list_all(self) -> tuple[Key, ...]:
        """Every key, oldest first."""
        query = f"SELECT {_COLUMNS} FROM keys ORDER BY created_at, id"  # noqa: S608 - a constant

        def work(connection: sqlite3.Connection) -> tuple[Key, ...]:
            return tuple(_key(row) for row in connection.execute(query))

        return await self._file.read(work, empty=())

    async def get(self, key_id: str, /) -> Key | None:
        """The key of this id."""
        query = f"SELECT {_COLUMNS} FROM keys WHERE id = ?"  # noqa: S608 - a constant
        return await self._file.read(_first(query, (key_id,)), empty=None)

    async def edit(self, key: Key, /) -> bool:
        """Put other settings under its id."""

        def work(connection: sqlite3.Connection) -> bool:
            _refuse_taken(connection, key)
            done = connection.execute(
                "UPDATE keys SET name = ?, settings = ? WHERE id = ? AND revoked_at IS NULL",
                (key.name, _settings(key), key.id),
            )
            return done.rowcount > 0

        return await self._file.write(work, lasting=True)

    async def revoke(self, key_id: str, /, *, now_s: float) -> bool:
        """End a key for ever."""

        def work(connection: sqlite3.Connection) -> bool:
            done = connection.execute(
                "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                (now_s, key_id),
            )
            return done.rowcount > 0

        return await self._file.write(work, lasting=True)

    async def rotate(self, key_id: str, digest: bytes, /, *, old_until_s: float) -> bool:
        """Give a key another secret."""

        def work(connection: sqlite3.Connection) -> bool:
            live = "SELECT 1 FROM keys WHERE id = ? AND revoked_at IS NULL"
            if connection.execute(live, (key_id,)).fetchone() is None:
                return False
            connection.execute(
                "UPDATE digests SET until_s = min(coalesce(until_s, ?1), ?1) WHERE key_id = ?2",
                (old_until_s, key_id),
            )
            _put_digest(connection, key_id, digest)
            return True

        return await self._file.write(work, lasting=True)

    async def find(self, digest: bytes, /, *, now_s: float) -> Key | None:
        """The key whose secret has this digest."""
        query = (
            f"SELECT {_COLUMNS} FROM digests JOIN keys ON keys.id = digests.key_id "  # noqa: S608 - a constant
            "WHERE digest = ? AND (until_s IS NULL OR until_s > ?)"
        )
        return await self._file.read(_first(query, (digest, now_s)), empty=None)

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()


def _first(query: str, values: tuple[str | bytes | float, ...]) -> Work[Key | None]:
    def work(connection: sqlite3.Connection) -> Key | None:
        row = connection.execute(query, values).fetchone()
        return None if row is None else _key(row)

    return work


def _refuse_taken(connection: sqlite3.Connection, key: Key) -> None:
    taken = "SELECT 1 FROM keys WHERE name = ? AND id != ? AND revoked_at IS NULL"
    if connection.execute(taken, (key.name, key.id)).fetchone() is not None:
        raise name_taken(key.name)


def _put_digest(connection: sqlite3.Connection, key_id: str, digest: bytes) -> None:
    connection.execute("INSERT INTO digests (digest, key_id) VALUES (?, ?)", (digest, key_id))


def _settings(key: Key) -> str:
    return msgspec.json.encode(key).decode()


def _key(row: _Row) -> Key:
    settings, created_at, revoked_at = row
    key = msgspec.json.decode(settings, type=Key)
    return replace(key, created_at=created_at, revoked_at=revoked_at)
