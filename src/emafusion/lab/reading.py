"""Tables from files, or the sample, and data frames as such tables."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from emafusion.domain.errors import BadInput, Unready
from emafusion.lab.sample import located
from emafusion.tables.columns import JUDGES, OUTCOMES, Shape
from emafusion.tables.read import Read, read_judges, read_outcomes

if TYPE_CHECKING:
    import polars as pl


def need_polars(verb: str) -> None:
    """Raise `Unready`, which says how to get it, where the table library is absent."""
    if find_spec("polars") is None:
        raise Unready(f"{verb} needs the library polars: pip install 'emafusion[train]'")


def read_table(sources: Sequence[Path]) -> pl.DataFrame:
    """Read outcome tables, and refuse them for one bad row."""
    return read_rows(sources).frame


def read_rows(sources: Sequence[Path], *, skip_bad: bool = False) -> Read:
    """Read outcome tables, with what was left out; a row without a prompt will do.

    `skip_bad`: leave out bad rows and count them, rather than refuse the table.
    """
    places = [located(source) for source in sources]
    return read_outcomes(places, skip_bad=skip_bad, prompts="optional")


def read_grades(sources: Sequence[Path], *, skip_bad: bool = False) -> Read:
    """Read judge tables, with what was left out."""
    return read_judges(sources, skip_bad=skip_bad)


def whole(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of an outcome table, null where the frame has none.

    Raises `BadInput` where it does not say which query or which model.
    """
    return _whole(frame, OUTCOMES, ("query_id", "model"))


def whole_grades(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of a judge table, null where the frame has none.

    Raises `BadInput` where it does not say which answer, which judge or which grade.
    """
    return _whole(frame, JUDGES, ("query_id", "model", "judge", "judge_score"))


def _whole(frame: pl.DataFrame, shape: Shape, needed: tuple[str, ...]) -> pl.DataFrame:
    import polars as pl

    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise BadInput(f"has no column {missing[0]}", where=shape.name)
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in shape.schema().items()
    )
