"""Which labels may be learned from: all, some, or none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.lab.panel import groups_in
from emafusion.learn.agreeing import agreed_quality
from emafusion.replay.records import records_of
from emafusion.tables.query import query_of

if TYPE_CHECKING:
    import polars as pl

Labels = Literal["all", "none"] | int
"""`all` scores, `none`, or those of so many queries drawn by chance."""

FEWEST_MODELS = 3


def parse_labels(text: str) -> Labels:
    """Read what a user wrote. Raises `BadInput` for anything else.

    >>> parse_labels("all"), parse_labels("200")
    ('all', 200)
    """
    if text == "all":
        return "all"
    if text == "none":
        return "none"
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise BadInput(
        f"'{text[:40]}' is neither all, none nor a number of labelled queries", where="--labels"
    )


def with_labels(frame: pl.DataFrame, labels: Labels, *, seed: int = 0) -> pl.DataFrame:
    """The table with the scores that may be used, and `gold` left out unless all may.

    For `none`, quality by agreement takes the place of scores. Raises `BadInput` where that cannot
    be had.
    """
    import polars as pl

    if labels == "all":
        return frame
    if labels == "none":
        return _agreed(
            frame.with_columns(score=pl.lit(None, pl.Float64), gold=pl.lit(None, pl.String))
        )
    scored = frame.filter(pl.col("score").is_not_null())["query_id"].unique().sort()
    kept = scored.sample(min(labels, len(scored)), seed=seed)
    may = pl.col("query_id").is_in(kept.implode())
    return frame.with_columns(
        score=pl.when(may).then(pl.col("score")), gold=pl.when(may).then(pl.col("gold"))
    )


def _agreed(frame: pl.DataFrame) -> pl.DataFrame:
    """Quality by agreement as the score of each row."""
    import polars as pl

    records = records_of(frame, query_of)
    if len(records.models) < FEWEST_MODELS:
        told = f"without labels at least {FEWEST_MODELS} models must have answered"
        raise BadInput(f"{told}, there are {len(records.models)}", where="--labels none")
    groups = groups_in(records)
    if (groups < 0).all():
        told = "no answer could be compared with another; it takes labels"
        raise BadInput(told, where="--labels none")
    quality = agreed_quality(groups).quality
    rows, columns = np.nonzero(records.asked)
    agreed = pl.DataFrame(
        {
            "query_id": [records.queries[i].query_id for i in rows.tolist()],
            "model": [records.models[k] for k in columns.tolist()],
            "score": quality[rows, columns],
        }
    )
    return frame.drop("score").join(agreed, on=["query_id", "model"], how="left")
