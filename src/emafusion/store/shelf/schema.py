"""The schema of the shelf: steps that are only ever appended to."""

from __future__ import annotations

import sqlite3

from emafusion.store.migrations import Migration


def s001_shelf(connection: sqlite3.Connection) -> None:
    """Responses, files with their contents, batches with their lines.

    In a line the figures come first, so that who adds them up need not read past the texts.
    """
    connection.execute("""
        CREATE TABLE responses (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            created_at REAL NOT NULL,
            previous TEXT,
            items BLOB NOT NULL,
            body BLOB NOT NULL
        )""")
    connection.execute("CREATE INDEX responses_created_at ON responses (created_at)")
    connection.execute("""
        CREATE TABLE files (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            created_at REAL NOT NULL,
            expires_at REAL,
            purpose TEXT NOT NULL,
            filename TEXT NOT NULL,
            size INTEGER NOT NULL,
            batch TEXT
        )""")
    connection.execute("CREATE TABLE contents (id TEXT PRIMARY KEY, data BLOB NOT NULL)")
    connection.execute("""
        CREATE TABLE batches (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            created_at REAL NOT NULL,
            status TEXT NOT NULL,
            worker TEXT,
            worker_until REAL,
            state TEXT NOT NULL
        )""")
    connection.execute("""
        CREATE TABLE lines (
            batch TEXT NOT NULL,
            number INTEGER NOT NULL,
            good INTEGER,
            prompt_tokens INTEGER NOT NULL DEFAULT 0,
            cached_tokens INTEGER NOT NULL DEFAULT 0,
            completion_tokens INTEGER NOT NULL DEFAULT 0,
            reasoning_tokens INTEGER NOT NULL DEFAULT 0,
            custom_id TEXT NOT NULL,
            body BLOB,
            text BLOB,
            PRIMARY KEY (batch, number)
        )""")
    connection.execute("CREATE INDEX lines_open ON lines (batch, number) WHERE good IS NULL")


def s002_answers(connection: sqlite3.Connection) -> None:
    """Answers that any worker may give again, and claims on those that are being made."""
    connection.execute("""
        CREATE TABLE answers (
            name BLOB PRIMARY KEY,
            request BLOB NOT NULL,
            worker TEXT NOT NULL,
            value BLOB,
            until_s REAL NOT NULL
        )""")
    connection.execute("CREATE INDEX answers_until_s ON answers (until_s)")


MIGRATIONS: tuple[tuple[str, Migration], ...] = (
    ("s001_shelf", s001_shelf),
    ("s002_answers", s002_answers),
)
"""Every step with its name, oldest first. Append only."""
