"""A part of a list in PostgreSQL, by the id of the entry before it."""

from __future__ import annotations

from psycopg.rows import TupleRow

from emafusion.store.postgres.lane import Lane
from emafusion.store.postgres.rows import plain
from emafusion.store.shelf.kept import Page

Among = tuple[str, tuple[str, ...]]
"""A condition and the values in it."""


async def page_in(lane: Lane, table: str, page: Page, *, among: Among) -> list[TupleRow]:
    """States of a page of a table with `number`, `id` and `state`.

    Raises `KeyError` where the entry before is not among them.
    """
    order, beyond = ("DESC", "<") if page.newest_first else ("ASC", ">")
    where, values = among
    if page.after is not None:
        place = f"SELECT number FROM emafusion.{table} WHERE {where} AND id = %s"  # noqa: S608 - own words
        rows = await lane.ask(place.encode(), (*values, plain(page.after)))
        if not rows:
            raise KeyError(page.after)
        where = f"{where} AND number {beyond} {int(rows[0][0])}"
    select = f"SELECT state FROM emafusion.{table} WHERE {where} ORDER BY number {order} LIMIT %s"  # noqa: S608 - own words
    return await lane.ask(select.encode(), (*values, page.limit))
