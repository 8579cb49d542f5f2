"""Rows that come again: exact repeats are dropped, other answers of a model become samples."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Final

from emafusion.tables.columns import Shape

if TYPE_CHECKING:
    import polars as pl

HASHES: Final = ("hash", "other_hash")
"""Two hashes of a whole row: 128 bits, so that rows of equal hash are equal."""


def keyed(frame: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Of each row what tells it apart: the key of the shape, and hashes of all of it."""
    whole = frame.select(shape.names)
    hashes = [whole.hash_rows(seed).alias(name) for seed, name in enumerate(HASHES)]
    return frame.select(shape.key).with_columns(hashes)


def once(keys: pl.DataFrame, shape: Shape) -> pl.DataFrame | None:
    """Rows to keep, in order, with their new number; None where every row is fine as it is.

    `keys`: see `keyed`. Of rows that are equal in every column the first is kept. Others of the
    same key are numbered in the key's last column (`sample`, `repeat`): a number that is given once
    stays, where it is absent or taken the next free one is given. Columns: `row` (place in `keys`)
    and the number.
    """
    import polars as pl

    *pair, number = shape.key
    several = keys.select(pair).is_duplicated()
    unclear = keys.select(shape.key).is_duplicated() | keys[number].is_null()
    if not (several & unclear).any():
        return None
    rows = keys.with_row_index("row")
    alone, suspects = rows.filter(~several), rows.filter(several)
    kept = suspects.unique([*shape.key, *HASHES], keep="first", maintain_order=True)
    numbers = pl.Series(number, _numbers(kept.select(*pair, number)), dtype=pl.Int64)
    return pl.concat([alone.select("row", number), kept.select("row").with_columns(numbers)]).sort(
        "row"
    )


def without_repeats(frame: pl.DataFrame, shape: Shape) -> tuple[pl.DataFrame, int]:
    """Tell rows apart by the key of the shape; also how many rows were dropped."""
    kept = once(keyed(frame, shape), shape)
    if kept is None:
        return frame, 0
    number = shape.key[-1]
    return frame[kept["row"]].with_columns(kept[number]), frame.height - kept.height


def _numbers(keys: pl.DataFrame) -> list[int | None]:
    """Numbers that differ within a pair; where only one row is left it keeps what it says."""
    rows = keys.rows()
    sizes: defaultdict[tuple[str, ...], int] = defaultdict(int)
    taken: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for *names, _ in rows:
        sizes[tuple(names)] += 1
    numbers: list[int | None] = []
    waiting: list[int] = []
    for i, (*names, said) in enumerate(rows):
        numbers.append(said)
        mine = taken[tuple(names)]
        if said is not None and said not in mine:
            mine.add(said)
        elif sizes[tuple(names)] > 1:
            waiting.append(i)
    free = {pair: (n for n in count() if n not in given) for pair, given in taken.items()}
    for i in waiting:
        numbers[i] = next(free[tuple(rows[i][:-1])])
    return numbers
