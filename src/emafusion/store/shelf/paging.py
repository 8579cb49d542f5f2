"""A part of a list, by the id of the entry before it."""

from __future__ import annotations

import sqlite3

from emafusion.store.shelf.kept import Page

Values = tuple[str | int, ...]


def paged(
    connection: sqlite3.Connection, select: str, values: tuple[str, ...], *, page: Page
) -> tuple[str, Values]:
    """Narrow a query on a table with `number` and `id`, which ends in its conditions, to a page.

    Raises `KeyError` where the entry before is not among them.
    """
    order, beyond = ("DESC", "<") if page.newest_first else ("ASC", ">")
    if page.after is not None:
        table = select.partition(" FROM ")[2]
        place = connection.execute(f"SELECT number FROM {table} AND id = ?", (*values, page.after))  # noqa: S608 - a query of our own
        row = place.fetchone()
        if row is None:
            raise KeyError(page.after)
        select = f"{select} AND number {beyond} {int(row[0])}"
    return f"{select} ORDER BY number {order} LIMIT ?", (*values, page.limit)
