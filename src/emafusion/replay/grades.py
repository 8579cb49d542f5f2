"""Recorded grades of LLM judges, as judges of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emafusion.domain.errors import BadInput
from emafusion.replay.reading import GradedJudge
from emafusion.replay.records import Records

if TYPE_CHECKING:
    import polars as pl

WHERE = "judge table"
KIND = "llm"
TOPS = (1.0, 10.0, 100.0)
"""Scales that grades come on: the least of these that holds all of a judge's grades is its own."""


def judges_of(frame: pl.DataFrame, records: Records) -> tuple[GradedJudge, ...]:
    """A judge for each name in a judge table, named `llm:NAME`, in order of their names.

    Of repeated grades the first counts, at its own cost: a served judge is asked once. Grades of
    queries and models that are not in the records are passed over. Raises `BadInput` where a grade
    is below 0 or above 100.
    """
    import polars as pl

    queries = [query.query_id for query in records.queries]
    once = (
        frame.filter(
            pl.col("query_id").is_in(queries)
            & pl.col("model").is_in(list(records.models))
            & pl.col("judge_score").is_not_null()
            & pl.col("judge").is_not_null()
        )
        .sort("repeat", maintain_order=True)
        .unique(("judge", "query_id", "model"), keep="first", maintain_order=True)
    )
    parts = once.partition_by("judge", as_dict=True, maintain_order=True)
    named = sorted((str(key[0]), part) for key, part in parts.items())
    return tuple(_judge(name, part) for name, part in named)


def scale_of(judge: str, low: float, high: float) -> float:
    """What a judge's grades are divided by, so that they are in 0..1.

    >>> scale_of("j", 1.0, 9.0)
    10.0
    """
    top = next((top for top in TOPS if high <= top), None)
    if low < 0 or top is None:
        raise BadInput(f"judge '{judge[:80]}' grades from {low:g} to {high:g}", where=WHERE)
    return top


def _judge(name: str, rows: pl.DataFrame) -> GradedJudge:
    grades = rows["judge_score"]
    top = scale_of(name, float(grades.min() or 0.0), float(grades.max() or 0.0))  # type: ignore[arg-type]  # of a float column
    columns = rows.select("query_id", "model", "judge_score", "cost_usd").iter_rows()
    return GradedJudge(
        f"{KIND}:{name}",
        {(query_id, model): (grade / top, cost) for query_id, model, grade, cost in columns},
    )
