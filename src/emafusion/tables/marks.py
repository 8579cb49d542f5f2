"""Marks that rows carry with them: questions that nothing may be fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from emafusion.domain.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

TEST_ONLY: Final = "routerarena/"
"""How the data set of a row begins that is for testing only; it survives every format."""


def refuse_test_only(frame: pl.DataFrame) -> None:
    """Raise `BadInput` where an outcome table has questions that are for testing only.

    To be called before anything is fitted.
    """
    import polars as pl

    marked = frame.filter(pl.col("dataset").str.starts_with(TEST_ONLY))
    if marked.height:
        raise BadInput(
            f"{marked.height:,} rows of RouterArena are for testing only and are never fitted; "
            f"leave out those whose dataset begins with {TEST_ONLY}",
            where="outcome table",
        )
