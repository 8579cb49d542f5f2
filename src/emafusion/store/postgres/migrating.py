"""Brings a database to our present schema, one replica at a time, and refuses what is not ours."""

from __future__ import annotations

import psycopg

from emafusion.store.errors import StoreError
from emafusion.store.postgres.schema import MIGRATIONS, SCHEMA, TABLES

LOCK = 0x454D4146_00000001
"""Number of the advisory lock that is held while migrating ("EMAF", 1)."""

Steps = tuple[tuple[str, tuple[str, ...]], ...]

_JOURNAL = (
    "CREATE TABLE IF NOT EXISTS emafusion.applied_migrations "
    "(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
)


def migrate(connection: psycopg.Connection, *, steps: Steps = MIGRATIONS) -> tuple[str, ...]:
    """Take every missing step in one transaction; returns their names.

    Other replicas that start now wait for it. `connection` must be in autocommit mode.

    Raises:
        StoreError: the schema is another program's, a newer version's, or half migrated.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        missing = missing_from(connection, steps)
        if not missing:
            return ()
        connection.execute("CREATE SCHEMA IF NOT EXISTS emafusion")
        connection.execute(_JOURNAL)
        for name, statements in steps:
            if name in missing:
                _take(connection, name, statements)
    return missing


def missing_from(connection: psycopg.Connection, steps: Steps = MIGRATIONS) -> tuple[str, ...]:
    """Names of the steps that the database has not seen, oldest first. Changes nothing.

    Raises:
        StoreError: the schema is another program's, a newer version's, or half migrated.
    """
    known, tables = tuple(name for name, _ in steps), _tables(connection)
    if "applied_migrations" not in tables:
        if tables:
            _refuse(f"holds {min(tables)} and no list of what was applied")
        return known
    found = connection.execute("SELECT name FROM emafusion.applied_migrations").fetchall()
    seen = {str(row[0]) for row in found}
    if newer := sorted(seen.difference(known)):
        raise StoreError(
            f"PostgreSQL: schema {SCHEMA} was written by a newer version of emafusion "
            f"(it has {newer[-1]}); upgrade, or name another database"
        )
    _refuse_gaps(known, seen, tables)
    return tuple(name for name in known if name not in seen)


def _refuse_gaps(known: tuple[str, ...], seen: set[str], tables: set[str]) -> None:
    """Raise `StoreError` where a step is missing before one that was taken, or its table is."""
    taken = [name in seen for name in known]
    if taken != sorted(taken, reverse=True):
        _refuse(f"is without {known[taken.index(False)]} and has a later step")
    for table, step in TABLES.items():
        if step in seen and table not in tables:
            _refuse(f"is without the table {table} of {step}")
        if step not in seen and table in tables:
            _refuse(f"has the table {table}, and {step} is not among what was applied")


def _refuse(what: str) -> None:
    raise StoreError(
        f"PostgreSQL: schema {SCHEMA} {what}: half migrated, or another program's; restore it "
        "from a backup, or drop it to begin anew"
    )


def _tables(connection: psycopg.Connection) -> set[str]:
    """Names of the tables in our schema."""
    found = connection.execute(
        "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %s", (SCHEMA,)
    )
    return {str(row[0]) for row in found}


def _take(connection: psycopg.Connection, name: str, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement.encode())
    connection.execute("INSERT INTO emafusion.applied_migrations (name) VALUES (%s)", (name,))
