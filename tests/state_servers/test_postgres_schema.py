"""Our own schema in a real PostgreSQL: made once, never half, and nothing else is touched."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emafusion.domain.errors import BadInput
from emafusion.store.errors import StoreError

psycopg = pytest.importorskip("psycopg", reason="needs the extra `postgres`")

from emafusion.store.postgres import partitions  # noqa: E402 - after the extra is known
from emafusion.store.postgres.link import checked_url, connect_now  # noqa: E402 - the same
from emafusion.store.postgres.migrating import migrate, missing_from  # noqa: E402 - the same
from emafusion.store.postgres.partitions import Kept, days_there, make, tidy  # noqa: E402 - the same
from emafusion.store.postgres.rows import COLUMNS  # noqa: E402 - the same
from emafusion.store.postgres.schema import MIGRATIONS  # noqa: E402 - the same
from emafusion.store.postgres.tending import Tender  # noqa: E402 - the same

DAY = 86_400
TODAY = 20_700


def change(url: str, *statements: str) -> None:
    """Do something to the database behind our back."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def asked(url: str, query: str) -> list[tuple[object, ...]]:
    """Rows of a query."""
    with psycopg.connect(url) as connection:
        found: list[tuple[object, ...]] = connection.execute(query).fetchall()
    return found


def prepared(url: str) -> None:
    """As at the start of a gateway."""
    Tender(url, Kept()).prepare()


def test_it_is_made_once_and_other_tables_stay(url: str) -> None:
    """A second start changes nothing; what was there before is as it was."""
    change(url, "CREATE TABLE outcomes (x int)", "INSERT INTO outcomes VALUES (7)")
    prepared(url)
    prepared(url)
    assert asked(url, "SELECT name FROM emafusion.applied_migrations") == [
        (name,) for name, _ in MIGRATIONS
    ]
    assert asked(url, "SELECT x FROM public.outcomes") == [(7,)]
    found = asked(
        url,
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public'",
    )
    assert found == [(1,)]


def test_the_columns_are_those_of_the_file(url: str) -> None:
    """A column that is added to one log is missing in the other until it is added there too."""
    prepared(url)
    found = asked(
        url,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'emafusion' "
        "AND table_name = 'outcomes' ORDER BY ordinal_position",
    )
    assert [name for (name,) in found] == ["id", *COLUMNS]


def test_many_replicas_may_start_at_once(url: str) -> None:
    """One migrates, the others wait for it."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: prepared(url), range(8)))
    assert len(asked(url, "SELECT 1 FROM emafusion.applied_migrations")) == len(MIGRATIONS)


def test_a_step_that_fails_leaves_nothing_behind(url: str) -> None:
    """All missing steps are one transaction."""
    steps = (*MIGRATIONS, ("998_good", ("CREATE TABLE emafusion.half (x int)",)))
    bad = (*steps, ("999_bad", ("CREATE TABLE emafusion.half (x int)",)))
    prepared(url)
    with connect_now(url, doing="test") as connection:
        with pytest.raises(psycopg.errors.DuplicateTable):
            migrate(connection, steps=bad)
        assert asked(url, "SELECT to_regclass('emafusion.half')") == [(None,)]
        assert migrate(connection, steps=steps) == ("998_good",)
        assert migrate(connection, steps=steps) == ()


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ("DROP TABLE emafusion.applied_migrations", "no list of what was applied"),
        ("DROP TABLE emafusion.outcomes", "is without the table outcomes of 001_outcomes"),
        ("DELETE FROM emafusion.applied_migrations WHERE name = '001_outcomes'", "half migrated"),
        (
            "INSERT INTO emafusion.applied_migrations (name) VALUES ('999_later')",
            r"newer version of emafusion \(it has 999_later\)",
        ),
    ],
)
def test_a_half_done_or_newer_schema_is_refused(url: str, done: str, said: str) -> None:
    """One line that says what is wrong and what to do; nothing is changed."""
    prepared(url)
    change(url, done)
    before = asked(url, "SELECT relname FROM pg_class ORDER BY 1")
    with pytest.raises(StoreError, match=said) as refused:
        prepared(url)
    assert str(refused.value).count("\n") == 0
    assert asked(url, "SELECT relname FROM pg_class ORDER BY 1") == before


def test_a_schema_of_another_program_is_refused(url: str) -> None:
    """Even if it has our name."""
    change(url, "CREATE SCHEMA emafusion", "CREATE TABLE emafusion.theirs (x int)")
    with pytest.raises(StoreError, match="holds theirs and no list of what was applied"):
        prepared(url)


def test_a_database_that_is_not_there_is_one_line_without_the_password(url: str) -> None:
    """Wrong address, wrong password, wrong name."""
    for wrong in (url.replace("made-up-word", "another-word"), url + "x", url[:-8] + ":1/x"):
        with pytest.raises(StoreError, match=r"^PostgreSQL: cannot open the log: ") as refused:
            prepared(checked_url(wrong, where="EMA_POSTGRES"))
        assert "word@" not in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wrong", ["postgresql//x:secret@h/d", "http://x:secret@h/d", "secret"])
def test_what_is_no_url_is_refused_and_not_shown(wrong: str) -> None:
    """The message names the variable, never what is in it."""
    with pytest.raises(BadInput, match=r"^EMA_POSTGRES: is no address such as") as refused:
        checked_url(wrong, where="EMA_POSTGRES")
    assert "secret" not in repr(refused.value.__context__) + str(refused.value)


def test_old_days_go_whole_and_young_ones_stay(url: str) -> None:
    """By days, then by size, oldest first; today's stays whatever its size."""
    prepared(url)
    with connect_now(url, doing="test") as connection:
        for name in days_there(connection):
            connection.execute(f"DROP TABLE emafusion.{name}")
        make(connection, range(TODAY - 40, TODAY + 1))
        gone = tidy(connection, Kept(days=30), clock=lambda: (TODAY + 0.5) * DAY)
        assert len(gone) == 10
        assert days_there(connection)[0] == partitions.name_of(TODAY - 30)
        tidy(connection, Kept(days=30, max_bytes=1), clock=lambda: (TODAY + 0.5) * DAY)
        assert days_there(connection) == [partitions.name_of(TODAY)]


def test_whoever_reads_is_not_waited_for(url: str) -> None:
    """A long query holds up neither serving nor the drop for more than a moment."""
    prepared(url)
    with connect_now(url, doing="test") as connection, psycopg.connect(url) as reader:
        make(connection, range(TODAY - 40, TODAY - 39))
        reader.execute("SELECT count(*) FROM emafusion.outcomes")
        started = time.monotonic()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            tidy(connection, Kept(days=30))
        assert time.monotonic() - started < 1.0
        reader.rollback()
        assert len(tidy(connection, Kept(days=30))) == 1


def test_reading_what_is_missing_changes_nothing(url: str) -> None:
    """Readers look, they make nothing."""
    with connect_now(url, doing="test") as connection:
        assert missing_from(connection) == tuple(name for name, _ in MIGRATIONS)
    assert asked(url, "SELECT 1 FROM pg_namespace WHERE nspname = 'emafusion'") == []
