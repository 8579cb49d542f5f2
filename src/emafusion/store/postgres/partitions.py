"""A table a day: made ahead, dropped whole when it is too old or all together are too much.

Dropping a day reads and deletes no row, so it takes the same moment for a thousand as for ten
million. It needs the lock of the whole table for that moment: whoever cannot have it at once gives
up and comes again, so that no row to be logged waits in line behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

LOCK = 0x454D4146_00000002
"""Number of the advisory lock of the one replica that tidies up."""

DAY_S = 86_400
AHEAD_DAYS = 2
"""Days that there is a table for before they begin."""

_PREFIX = "outcomes_"
_FORGET_WORDS = """
    UPDATE emafusion.feedback SET corrected = NULL, comment = NULL
    WHERE created_at < %s AND (corrected IS NOT NULL OR comment IS NOT NULL)"""
_SHORT_LOCK = "SET LOCAL lock_timeout = '200ms'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept: whole days younger than `days`, and the newest that fit `max_bytes`."""

    days: float | None = 30.0
    max_bytes: int | None = 1024 * 2**20


def name_of(day: int) -> str:
    """Name of the table of a day, by its number since 1970.

    >>> name_of(20_777)
    'outcomes_20261120'
    """
    return f"{_PREFIX}{time.strftime('%Y%m%d', time.gmtime(day * DAY_S))}"


def make(connection: psycopg.Connection, days: range) -> None:
    """Make the tables of these days, where there are none."""
    for day in days:
        name = sql.Identifier("emafusion", name_of(day))
        bounds = sql.SQL("FOR VALUES FROM ({}) TO ({})").format(day * DAY_S, (day + 1) * DAY_S)
        made = sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF emafusion.outcomes ")
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            connection.execute(made.format(name) + bounds)


def make_ahead(connection: psycopg.Connection, now: float) -> None:
    """Make the tables of yesterday (a request may end a day later), today and the next days."""
    today = int(now // DAY_S)
    missing = {name_of(day): day for day in range(today - 1, today + AHEAD_DAYS + 1)}
    for name in days_there(connection):
        missing.pop(name, None)
    for day in missing.values():
        make(connection, range(day, day + 1))


def days_there(connection: psycopg.Connection) -> list[str]:
    """Names of the tables of all days, oldest first."""
    found = connection.execute(
        "SELECT c.relname FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c "
        "ON c.oid = i.inhrelid WHERE i.inhparent = 'emafusion.outcomes'::regclass ORDER BY 1"
    )
    return [str(row[0]) for row in found]


def tidy(
    connection: psycopg.Connection, kept: Kept, *, clock: Callable[[], float] = time.time
) -> tuple[str, ...]:
    """Drop the days that are too old or too much; names of those that were dropped.

    Today's stays, however large. Does nothing where another replica is at it.

    Raises:
        psycopg.errors.LockNotAvailable: somebody held the table; nothing is lost, come again.
    """
    taken = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
    if taken is None or not taken[0]:
        return ()
    try:
        _forget_words(connection, kept, clock())
        return tuple(_dropped(connection, kept, clock()))
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def _forget_words(connection: psycopg.Connection, kept: Kept, now: float) -> None:
    """Words of feedback are kept as long as answers are; its numbers outlive them."""
    if kept.days is not None:
        connection.execute(_FORGET_WORDS, (now - kept.days * DAY_S,))


def _dropped(connection: psycopg.Connection, kept: Kept, now: float) -> list[str]:
    names, today = days_there(connection), name_of(int(now // DAY_S))
    gone = list[str]()
    for name in names:
        if name >= today or not _is_too_much(connection, kept, name, now=now):
            break
        _drop(connection, name)
        gone.append(name)
    return gone


def _is_too_much(connection: psycopg.Connection, kept: Kept, name: str, *, now: float) -> bool:
    if kept.days is not None and name < name_of(int((now - kept.days * DAY_S) // DAY_S)):
        return True
    return kept.max_bytes is not None and used_bytes(connection) > kept.max_bytes


def used_bytes(connection: psycopg.Connection) -> int:
    """Bytes of all days, indexes and long values included."""
    found = connection.execute(
        "SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint "
        "FROM pg_catalog.pg_inherits WHERE inhparent = 'emafusion.outcomes'::regclass"
    ).fetchone()
    return 0 if found is None else int(found[0])


def _drop(connection: psycopg.Connection, name: str) -> None:
    with connection.transaction():
        connection.execute(_SHORT_LOCK)
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier("emafusion", name)))
