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


def granted(frame: pl.DataFrame, labels: Labels, *, seed: int = 0) -> pl.DataFrame:
    """The table with the scores and `gold` that may be read, the others null."""
    import polars as pl

    if labels == "all":
        return frame
    if labels == "none":
        return frame.with_columns(score=pl.lit(None, pl.Float64), gold=pl.lit(None, pl.String))
    scored = frame.filter(pl.col("score").is_not_null())["query_id"].unique().sort()
    kept = scored.sample(min(labels, len(scored)), seed=seed)
    may = pl.col("query_id").is_in(kept.implode())
    return frame.with_columns(
        score=pl.when(may).then(pl.col("score")), gold=pl.when(may).then(pl.col("gold"))
    )


def may_agree(frame: pl.DataFrame) -> bool:
    """Whether any two answers to one query can be compared."""
    groups = groups_in(records_of(frame, query_of))
    return bool(((groups >= 0).sum(axis=1) > 1).any())


def agreed(frame: pl.DataFrame) -> pl.DataFrame:
    """Quality by agreement as the score of each answer, null where no other could be compared.

    Raises `BadInput` where models are too few, or none of their answers can be compared.
    """
    import polars as pl

    records = records_of(frame, query_of)
    if len(records.models) < FEWEST_MODELS:
        told = f"without labels at least {FEWEST_MODELS} models must have answered"
        raise BadInput(f"{told}, there are {len(records.models)}", where="--labels none")
    groups = groups_in(records)
    compared = (groups >= 0).sum(axis=1) > 1
    if not compared.any():
        told = "no two answers to one query could be compared; it takes labels"
        raise BadInput(told, where="--labels none")
    quality = agreed_quality(groups[compared]).quality
    rows, columns = np.nonzero(records.asked[compared])
    places: list[int] = np.flatnonzero(compared)[rows].tolist()
    scores = pl.DataFrame(
        {
            "query_id": [records.queries[i].query_id for i in places],
            "model": [records.models[k] for k in columns.tolist()],
            "score": quality[rows, columns],
        }
    )
    return frame.drop("score").join(scores, on=["query_id", "model"], how="left")
