"""What the grades of each LLM judge are worth on this work: a curve for each, where labels say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emafusion.estimate.arrays import AnyArray
from emafusion.learn.panel.curves import evidence_curve
from emafusion.learn.panel.grades import KNOTS
from emafusion.learn.panel.looks import RIGHT
from emafusion.replay.grades import KIND, scale_of

if TYPE_CHECKING:
    import polars as pl

FEWEST = 50
"""Graded answers with a label below which the shipped curve of an unknown judge is kept."""


def judge_curves(judges: pl.DataFrame, frame: pl.DataFrame) -> dict[str, AnyArray]:
    """Curves for the panel, keys `panel/curve/llm:NAME`; of judges with too few labels none.

    `judges`: a judge table, of whose repeats the first counts, as a served judge is asked once;
    `frame`: the outcome table with the scores that may be read. Raises `BadInput` for grades on no
    known scale.
    """
    import polars as pl

    truth = frame.filter(pl.col("score").is_not_null()).unique(
        ("query_id", "model"), keep="first", maintain_order=True
    )
    rows = (
        judges.filter(pl.col("judge_score").is_not_null() & pl.col("judge").is_not_null())
        .sort("repeat", maintain_order=True)
        .unique(("judge", "query_id", "model"), keep="first", maintain_order=True)
        .join(truth.select("query_id", "model", "score"), on=["query_id", "model"])
        .sort("judge", "query_id", "model")
    )
    parts = rows.partition_by("judge", as_dict=True, maintain_order=True)
    curves = {
        f"panel/curve/{KIND}:{key[0]}": _curve(str(key[0]), part) for key, part in parts.items()
    }
    return {name: curve for name, curve in curves.items() if curve is not None}


def _curve(judge: str, rows: pl.DataFrame) -> AnyArray | None:
    """The curve of one judge; None where too few answers are known to be right or wrong."""
    grades = rows["judge_score"].to_numpy().astype(np.float64)
    right = (rows["score"].to_numpy() >= RIGHT).astype(np.float64)
    scale = scale_of(judge, float(grades.min()), float(grades.max()))
    if len(right) < FEWEST or right.min() == right.max():
        return None
    return evidence_curve(grades / scale, right, KNOTS).as_array()
