"""A log is brought to the present schema, whole or not at all, and no other program's file is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from emafusion.domain.errors import BadInput
from emafusion.store.connection import connect_read_only, open_log
from emafusion.store.errors import StoreError
from emafusion.store.migrations import APPLICATION_ID, MIGRATIONS, migrate


def schema(path: Path) -> list[tuple[str]]:
    """Every statement that made the file what it is."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return found


def change(path: Path, *statements: str) -> None:
    """Do something to the file behind our back."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_an_empty_file_becomes_a_log_and_opening_it_again_changes_nothing(tmp_path: Path) -> None:
    """Migrating twice is migrating once."""
    path = tmp_path / "log.sqlite"
    open_log(path)
    first = schema(path)
    open_log(path)
    assert schema(path) == first
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    connection.close()


def test_migrations_have_names_in_order_and_once() -> None:
    """The list is a history."""
    names = [name for name, _ in MIGRATIONS]
    assert names == sorted(set(names))


def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """All missing steps are one transaction."""

    def good(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")

    def bad(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")

    path = tmp_path / "log.sqlite"
    open_log(path)
    before = schema(path)
    connection = sqlite3.connect(path, isolation_level=None)
    steps = (*MIGRATIONS, ("900_good", good), ("901_bad", bad))
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection, path, migrations=steps)
    assert migrate(connection, path, migrations=steps[:-1]) == ("900_good",)
    assert migrate(connection, path, migrations=steps[:-1]) == ()
    connection.close()
    assert len(schema(path)) == len(before) + 1


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ("DROP VIEW attempts", "attempts is missing"),
        ("DROP INDEX outcomes_created_at", "outcomes_created_at is missing"),
        ("ALTER TABLE feedback DROP COLUMN comment", "feedback has no comment"),
        ("DELETE FROM applied_migrations WHERE name LIKE '001%'", "001_outcomes is not among"),
        ("DELETE FROM applied_migrations WHERE name LIKE '002%'", "feedback is there, and 002_fe"),
        ("DROP TABLE applied_migrations", "is there, and 001_outcomes is not among"),
    ],
)
def test_half_of_a_schema_is_refused_and_left_as_it_is(
    tmp_path: Path, done: str, said: str
) -> None:
    """However it came about: one line that says what is wrong and what to do."""
    path = tmp_path / "log.sqlite"
    open_log(path)
    change(path, "CREATE TABLE of_the_operator (x)", done)
    before = schema(path)
    with pytest.raises(StoreError, match=r"log\.sqlite: half migrated \(") as refused:
        open_log(path)
    assert said in str(refused.value)
    assert str(refused.value).count("\n") == 0
    assert schema(path) == before


def test_what_an_operator_adds_is_nobodys_business(tmp_path: Path) -> None:
    """A view or a table more is no half of anything."""
    path = tmp_path / "log.sqlite"
    open_log(path)
    change(path, "CREATE VIEW mine AS SELECT 1", "CREATE TABLE notes (x)")
    open_log(path)


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Pointing the log at a shared file never touches its tables."""
    path = tmp_path / "theirs.sqlite"
    change(path, "CREATE TABLE theirs (x)", "INSERT INTO theirs VALUES (1)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"theirs\.sqlite: a database of another program"):
        open_log(path)
    with pytest.raises(StoreError, match="another program"):
        connect_read_only(path)
    assert path.read_bytes() == before


def test_a_log_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Neither written to nor misread."""
    path = tmp_path / "log.sqlite"
    open_log(path)
    change(path, "INSERT INTO applied_migrations (name) VALUES ('999_later')")
    for opening in (open_log, connect_read_only):
        with pytest.raises(StoreError, match=r"newer version of emafusion \(it has 999_later\);"):
            opening(path)


def test_reading_neither_makes_nor_upgrades_a_log(tmp_path: Path) -> None:
    """A reader says what is missing and who makes it."""
    path = tmp_path / "log.sqlite"
    with pytest.raises(BadInput, match=r"log\.sqlite: no log here yet; `emafusion serve`"):
        connect_read_only(path)
    assert not path.exists()
    open_log(path)
    change(path, "DELETE FROM applied_migrations")
    with pytest.raises(StoreError, match="older version of emafusion; `emafusion serve` upgrades"):
        connect_read_only(path)
