"""Whether a file holds what its list of applied steps says: half of a schema is refused.

A file that was restored in part, or changed by hand or by another tool, would fail on some request
or other much later. So what the steps make is made once in memory, and held against the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from emafusion.store.errors import StoreError

Steps = Iterable[tuple[str, Callable[[sqlite3.Connection], None]]]
Objects = dict[str, frozenset[str]]

JOURNAL = "applied_migrations"


def refuse_half(
    connection: sqlite3.Connection, path: Path, steps: Steps, *, seen: frozenset[str]
) -> None:
    """Raise `StoreError` unless the file has all that the seen steps make, and nothing of others.

    `steps`: all that are known, oldest first. More than they make may be there: views and tables of
    the operator's own are nobody's business.
    """
    there, known = _objects(connection), tuple(steps)
    taken = [name in seen for name, _ in known]
    if taken != sorted(taken, reverse=True):
        gap = known[taken.index(False)][0]
        _refuse(path, f"{gap} is not among what was applied, and a later step is")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        for _, step in known[: sum(taken)]:
            step(model)
        made = _objects(model)
        _compare(path, made, there)
        for name, step in known[sum(taken) :]:
            step(model)
            if extra := sorted((_objects(model).keys() - made.keys()) & there.keys()):
                _refuse(path, f"{extra[0]} is there, and {name} is not among what was applied")


def _compare(path: Path, wanted: Objects, there: Objects) -> None:
    for name, columns in sorted(wanted.items()):
        if name not in there:
            _refuse(path, f"{name} is missing")
        if lacking := sorted(columns - there[name]):
            _refuse(path, f"{name} has no {lacking[0]}")


def _refuse(path: Path, what: str) -> None:
    raise StoreError(
        f"{path}: half migrated ({what}); restore it from a backup, or name another file"
    )


def _objects(connection: sqlite3.Connection) -> Objects:
    """Tables, views and indexes by name, with the columns of tables."""
    found = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    )
    return {
        str(name): _columns(connection, str(name)) if kind == "table" else frozenset()
        for kind, name in found.fetchall()
        if name != JOURNAL
    }


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return frozenset(str(row[0]) for row in found)
