"""The schema, as a list of steps that is only ever appended to.

Each step is a function that is never edited again once released; the file remembers the names of
those it has seen. All missing steps are applied in one transaction: a file is never half migrated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from emafusion.store.errors import StoreError
from emafusion.store.whole import refuse_half

APPLICATION_ID = 0x454D4146
"""Written into the header of every log ("EMAF"), so that no other program's file is touched."""

Migration = Callable[[sqlite3.Connection], None]


def m001_outcomes(connection: sqlite3.Connection) -> None:
    """Narrow rows for lists and totals, wide rows for the rest, views for SQL by hand.

    Two tables, so that a filter over a million requests reads none of their texts. No index but
    by time: a scan of the narrow table is fast, and each index is paid for by every request.
    """
    connection.execute("""
        CREATE TABLE outcomes (
            id INTEGER PRIMARY KEY,
            decision_id TEXT NOT NULL UNIQUE,
            created_at REAL NOT NULL,
            query_id TEXT NOT NULL,
            requested TEXT NOT NULL,
            session TEXT,
            key_id TEXT,
            opening TEXT,
            task TEXT,
            quality_weight REAL NOT NULL,
            prompt_tokens INTEGER,
            familiarity REAL,
            route TEXT NOT NULL,
            propensity REAL NOT NULL,
            candidate TEXT,
            confidence REAL,
            finish TEXT,
            status INTEGER NOT NULL,
            failure TEXT,
            looks INTEGER NOT NULL,
            escalated INTEGER NOT NULL,
            cost_usd REAL,
            baseline_usd REAL,
            saved_usd REAL,
            latency_s REAL NOT NULL,
            overhead_ms REAL NOT NULL
        )""")
    connection.execute("CREATE INDEX outcomes_created_at ON outcomes (created_at)")
    connection.execute("""
        CREATE TABLE details (
            id INTEGER PRIMARY KEY REFERENCES outcomes (id),
            query_hash TEXT NOT NULL,
            features_hash TEXT,
            prompt TEXT,
            messages TEXT,
            answer TEXT,
            answer_hash TEXT,
            answer_attempt INTEGER,
            failure_message TEXT,
            request TEXT NOT NULL,
            tags TEXT NOT NULL,
            labels TEXT,
            objective TEXT NOT NULL,
            pool TEXT NOT NULL,
            plans TEXT NOT NULL,
            attempts TEXT NOT NULL,
            judgements TEXT NOT NULL
        )""")
    for view in (_CANDIDATES, _PLANS, _ATTEMPTS, _JUDGEMENTS):
        connection.execute(view)


_CANDIDATES = """
    CREATE VIEW candidates AS
    SELECT o.decision_id, o.created_at, each.key AS n,
        each.value ->> '$[0]' AS candidate, each.value ->> '$[1]' AS quality,
        each.value ->> '$[2]' AS quality_sd, each.value ->> '$[3]' AS cost_usd,
        each.value ->> '$[4]' AS latency_s, each.value ->> '$[5]' AS basis
    FROM outcomes o JOIN details d USING (id), json_each(d.pool) each"""

_PLANS = """
    CREATE VIEW plans AS
    SELECT o.decision_id, o.created_at, each.key AS n,
        each.value ->> '$.step.kind' AS step, each.value ->> '$.step.candidate' AS candidate,
        each.value ->> '$.propensity' AS propensity, each.value ->> '$.reason' AS reason,
        each.value ->> '$.quality' AS quality, each.value ->> '$.cost_usd' AS cost_usd
    FROM outcomes o JOIN details d USING (id), json_each(d.plans) each"""

_ATTEMPTS = """
    CREATE VIEW attempts AS
    SELECT o.decision_id, o.created_at, each.key AS n,
        each.value ->> '$.candidate' AS candidate, each.value ->> '$.failure' AS failure,
        each.value ->> '$.response' AS response, each.value ->> '$.finish' AS finish,
        each.value ->> '$.confidence' AS confidence, each.value ->> '$.group' AS "group",
        each.value ->> '$.usage.prompt_tokens' AS prompt_tokens,
        each.value ->> '$.usage.completion_tokens' AS completion_tokens,
        each.value ->> '$.cost_usd' AS cost_usd, each.value ->> '$.latency_s' AS latency_s,
        each.value ->> '$.ttft_s' AS ttft_s, each.value ->> '$.mean_logprob' AS mean_logprob
    FROM outcomes o JOIN details d USING (id), json_each(d.attempts) each"""

_JUDGEMENTS = """
    CREATE VIEW judgements AS
    SELECT o.decision_id, o.created_at, each.key AS n,
        each.value ->> '$.judge' AS judge, each.value ->> '$.attempt' AS attempt,
        each.value ->> '$.value' AS value, each.value ->> '$.verdict' AS verdict,
        each.value ->> '$.cost_usd' AS cost_usd, each.value ->> '$.latency_s' AS latency_s
    FROM outcomes o JOIN details d USING (id), json_each(d.judgements) each"""


def m002_feedback(connection: sqlite3.Connection) -> None:
    """What people said of answers; numbers outlive the answers they are of, words do not."""
    connection.execute("""
        CREATE TABLE feedback (
            id INTEGER PRIMARY KEY,
            decision_id TEXT NOT NULL,
            created_at REAL NOT NULL,
            source TEXT NOT NULL,
            score REAL NOT NULL,
            propensity REAL,
            key_id TEXT,
            corrected TEXT,
            comment TEXT
        )""")
    connection.execute("CREATE INDEX feedback_decision_id ON feedback (decision_id)")


MIGRATIONS: tuple[tuple[str, Migration], ...] = (
    ("001_outcomes", m001_outcomes),
    ("002_feedback", m002_feedback),
)
"""Every step with its name, oldest first. Append only."""


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    *,
    migrations: tuple[tuple[str, Migration], ...] = MIGRATIONS,
) -> tuple[str, ...]:
    """Bring a log to the present schema; returns the names of the steps that were missing.

    `connection` must be in autocommit mode. Nothing is changed where something is refused.

    Raises:
        StoreError: the file is not ours, was written by a newer version, or is half migrated.
    """
    refuse_strangers(connection, path)
    connection.execute("BEGIN IMMEDIATE")
    try:
        missing = _apply(connection, path, migrations)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return missing


def refuse_strangers(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StoreError` unless the file is empty or ours."""
    application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application_id == APPLICATION_ID or is_empty(connection):
        return
    raise StoreError(f"{path}: a database of another program; name a file of its own for the log")


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing has been written into the file yet."""
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def missing_from(
    connection: sqlite3.Connection,
    path: Path,
    migrations: tuple[tuple[str, Migration], ...] = MIGRATIONS,
) -> tuple[str, ...]:
    """Names of the steps that the file has not seen yet, oldest first.

    Raises:
        StoreError: the file has seen steps that this version does not know.
    """
    known = tuple(name for name, _ in migrations)
    table = "SELECT 1 FROM sqlite_master WHERE name = 'applied_migrations'"
    if connection.execute(table).fetchone() is None:
        return known
    seen = {str(row[0]) for row in connection.execute("SELECT name FROM applied_migrations")}
    if newer := sorted(seen.difference(known)):
        raise StoreError(
            f"{path}: written by a newer version of emafusion (it has {newer[-1]}); upgrade, "
            "or name another file"
        )
    return tuple(name for name in known if name not in seen)


def _apply(
    connection: sqlite3.Connection,
    path: Path,
    migrations: tuple[tuple[str, Migration], ...],
) -> tuple[str, ...]:
    missing = missing_from(connection, path, migrations)
    if not is_empty(connection):
        seen = frozenset(name for name, _ in migrations).difference(missing)
        refuse_half(connection, path, migrations, seen=seen)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS applied_migrations "
        "(name TEXT PRIMARY KEY, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
    )
    for name, step in migrations:
        if name in missing:
            step(connection)
            connection.execute("INSERT INTO applied_migrations (name) VALUES (?)", (name,))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    return missing
