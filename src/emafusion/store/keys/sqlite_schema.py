"""The schema of the file of keys and counters: steps that are only ever appended to."""

from __future__ import annotations

import sqlite3

from emafusion.store.migrations import Migration


def k001_keys(connection: sqlite3.Connection) -> None:
    """Keys, digests of their secrets, counters, and what is held of them."""
    connection.execute("""
        CREATE TABLE keys (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            settings TEXT NOT NULL,
            created_at REAL NOT NULL,
            revoked_at REAL
        )""")
    connection.execute("CREATE UNIQUE INDEX keys_name ON keys (name) WHERE revoked_at IS NULL")
    connection.execute("""
        CREATE TABLE digests (
            digest BLOB PRIMARY KEY,
            key_id TEXT NOT NULL REFERENCES keys (id),
            until_s REAL
        ) WITHOUT ROWID""")
    connection.execute("CREATE INDEX digests_key_id ON digests (key_id)")
    connection.execute("""
        CREATE TABLE counters (
            name TEXT NOT NULL,
            starts_s REAL NOT NULL,
            forget_s REAL NOT NULL,
            used REAL NOT NULL,
            PRIMARY KEY (name, starts_s)
        ) WITHOUT ROWID""")
    connection.execute("CREATE INDEX counters_forget_s ON counters (forget_s)")
    connection.execute("""
        CREATE TABLE holds (
            name TEXT NOT NULL,
            starts_s REAL NOT NULL,
            hold TEXT NOT NULL,
            amount REAL NOT NULL,
            until_s REAL NOT NULL,
            PRIMARY KEY (name, starts_s, hold)
        ) WITHOUT ROWID""")
    connection.execute("CREATE INDEX holds_hold ON holds (hold)")
    connection.execute("CREATE INDEX holds_until_s ON holds (until_s)")


MIGRATIONS: tuple[tuple[str, Migration], ...] = (("k001_keys", k001_keys),)
"""Every step with its name, oldest first. Append only."""
