"""Keys in PostgreSQL, for all replicas."""

from __future__ import annotations

import msgspec
import psycopg
from msgspec.structs import replace
from psycopg.rows import TupleRow

from emafusion.store.keys.key import Key
from emafusion.store.keys.memory import name_taken
from emafusion.store.postgres.lane import Lane, Values

_COLUMNS = "keys.settings::text, keys.created_at, keys.revoked_at"
_MAKE = b"""
    WITH made AS (
        INSERT INTO emafusion.keys (id, name, settings, created_at)
        VALUES (%(id)s, %(name)s, %(settings)s, %(created_at)s) RETURNING id
    )
    INSERT INTO emafusion.digests (digest, key_id) SELECT %(digest)s, id FROM made"""
_ROTATE = b"""
    WITH live AS (
        SELECT id FROM emafusion.keys WHERE id = %(id)s AND revoked_at IS NULL FOR UPDATE
    ), ended AS (
        UPDATE emafusion.digests SET until_s = least(coalesce(until_s, %(until)s), %(until)s)
        WHERE key_id IN (SELECT id FROM live)
    )
    INSERT INTO emafusion.digests (digest, key_id) SELECT %(digest)s, id FROM live
    RETURNING key_id"""


class PostgresKeyStore:
    """A `KeyStore` in PostgreSQL."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def make(self, key: Key, digest: bytes, /) -> None:
        """Keep a new key. Raises `BadInput` where its name is taken."""
        values = {"id": key.id, "name": key.name, "settings": _settings(key), "digest": digest}
        await self._keep(key, _MAKE, {**values, "created_at": key.created_at})

    async def list_all(self) -> tuple[Key, ...]:
        """Every key, oldest first."""
        sql = f"SELECT {_COLUMNS} FROM emafusion.keys ORDER BY created_at, id"  # noqa: S608 - a constant
        return tuple(_key(row) for row in await self._lane.ask(sql.encode()))

    async def get(self, key_id: str, /) -> Key | None:
        """The key of this id."""
        if "\0" in key_id:  # which no id in a database has
            return None
        sql = f"SELECT {_COLUMNS} FROM emafusion.keys WHERE id = %s"  # noqa: S608 - a constant
        return _first(await self._lane.ask(sql.encode(), (key_id,)))

    async def edit(self, key: Key, /) -> bool:
        """Put other settings under its id."""
        sql = (
            b"UPDATE emafusion.keys SET name = %s, settings = %s "
            b"WHERE id = %s AND revoked_at IS NULL RETURNING id"
        )
        return bool(await self._keep(key, sql, (key.name, _settings(key), key.id)))

    async def revoke(self, key_id: str, /, *, now_s: float) -> bool:
        """End a key for ever."""
        sql = (
            b"UPDATE emafusion.keys SET revoked_at = %s "
            b"WHERE id = %s AND revoked_at IS NULL RETURNING id"
        )
        return bool(await self._lane.ask(sql, (now_s, key_id)))

    async def rotate(self, key_id: str, digest: bytes, /, *, old_until_s: float) -> bool:
        """Give a key another secret."""
        values = {"id": key_id, "digest": digest, "until": old_until_s}
        return bool(await self._lane.ask(_ROTATE, values))

    async def find(self, digest: bytes, /, *, now_s: float) -> Key | None:
        """The key whose secret has this digest."""
        sql = (
            f"SELECT {_COLUMNS} FROM emafusion.digests "  # noqa: S608 - a constant
            "JOIN emafusion.keys ON keys.id = digests.key_id "
            "WHERE digest = %s AND (until_s IS NULL OR until_s > %s)"
        )
        return _first(await self._lane.ask(sql.encode(), (digest, now_s)))

    async def close(self) -> None:
        """Close its connections."""
        await self._lane.close()

    async def _keep(self, key: Key, sql: bytes, values: Values) -> list[TupleRow]:
        try:
            return await self._lane.ask(sql, values)
        except psycopg.IntegrityError as error:
            if error.diag.constraint_name != "keys_name":
                raise
        raise name_taken(key.name)


def _settings(key: Key) -> str:
    return msgspec.json.encode(key).decode()


def _first(rows: list[TupleRow]) -> Key | None:
    return _key(rows[0]) if rows else None


def _key(row: TupleRow) -> Key:
    settings, created_at, revoked_at = row
    key = msgspec.json.decode(settings, type=Key)
    return replace(key, created_at=created_at, revoked_at=revoked_at)
