"""Rows that come again: exact repeats are dropped, other answers of a model become samples."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING

from emafusion.tables.columns import Shape

if TYPE_CHECKING:
    import polars as pl


def without_repeats(frame: pl.DataFrame, shape: Shape) -> tuple[pl.DataFrame, int]:
    """Tell rows apart by the key of the shape; also how many rows were dropped.

    Rows that are equal in every column are one row. Others with the same key are numbered in the
    key's last column (`sample`, `repeat`), which keeps what it says where that is said once.
    """
    import polars as pl

    *pair, number = shape.key
    again = frame.select(shape.key).is_duplicated()
    if not again.any():
        return frame, 0
    rows = frame.with_row_index("row")
    suspects = rows.filter(rows.select(pair).is_duplicated())
    once = suspects.unique(shape.names, keep="first", maintain_order=True)
    numbers = pl.DataFrame(
        {"row": once["row"], number: _numbered(once.select(*pair, number), pair, number)},
        schema={"row": once["row"].dtype, number: pl.Int64},
    )
    dropped = suspects.height - once.height
    kept = rows.filter(~pl.col("row").is_in(suspects["row"].implode())).select("row", number)
    order = pl.concat([kept, numbers]).sort("row")
    return frame[order["row"]].with_columns(order[number]), dropped


def _numbered(keys: pl.DataFrame, pair: list[str], number: str) -> pl.Series:
    """Numbers that differ within a pair; one that stands alone is left as it is."""
    import polars as pl

    sizes = keys.select(pl.len().over(pair))["len"].to_list()
    taken: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    numbers: list[int | None] = []
    waiting: list[int] = []
    rows = keys.rows()
    for i, (*names, said) in enumerate(rows):
        mine = taken[tuple(names)]
        numbers.append(said)
        if sizes[i] == 1:
            continue
        if said is None or said in mine:
            waiting.append(i)
        else:
            mine.add(said)
    for i in waiting:
        mine = taken[tuple(rows[i][:-1])]
        numbers[i] = next(free for free in count(len(mine) if 0 in mine else 0) if free not in mine)
        mine.add(numbers[i] or 0)
    return pl.Series(number, numbers, dtype=pl.Int64)
