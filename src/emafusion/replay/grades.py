"""Recorded grades of LLM judges, as judges of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emafusion.domain.errors import BadInput
from emafusion.domain.model import family_word
from emafusion.replay.reading import GradedJudge
from emafusion.replay.records import Records

if TYPE_CHECKING:
    import polars as pl

WHERE = "judge table"
KIND = "llm"
FREE = ("rules", "logprob", "agreement", "user", "tests")
"""Kinds of judges that a log has beside the model judges."""
TOPS = (1.0, 10.0, 100.0)
"""Scales that grades come on: the least of these that holds all of a judge's grades is its own."""


def judges_of(frame: pl.DataFrame, records: Records) -> tuple[GradedJudge, ...]:
    """A judge for each name in a judge table, named as by `judge_name`, in order of their names.

    Raises `BadInput` where a grade is below 0 or above 100.
    """
    parts = first_grades(frame, records).partition_by("judge", as_dict=True, maintain_order=True)
    named = sorted((str(key[0]), part) for key, part in parts.items())
    return tuple(_judge(name, part, models=records.models) for name, part in named)


def first_grades(frame: pl.DataFrame, records: Records) -> pl.DataFrame:
    """Grades of model judges on answers of the records, named as judges are.

    Of repeated grades the first counts, at its own cost: a served judge is asked once. What the
    free judges said is left out: they read the answers anew.
    """
    import polars as pl

    queries = [query.query_id for query in records.queries]
    known = frame.filter(
        pl.col("query_id").is_in(queries)
        & pl.col("model").is_in(list(records.models))
        & pl.col("judge_score").is_not_null()
        & pl.col("judge").is_not_null()
    )
    names: list[str] = known["judge"].unique().to_list()
    judges = {name: told for name in names if (told := judge_name(name)) is not None}
    return (
        known.filter(pl.col("judge").is_in(list(judges)))
        .with_columns(judge=pl.col("judge").replace_strict(judges, return_dtype=pl.String))
        .sort("repeat", maintain_order=True)
        .unique(("judge", "query_id", "model"), keep="first", maintain_order=True)
    )


def judge_name(name: str) -> str | None:
    """Name of the judge whose grades stand under a name; None for a judge that is free.

    >>> judge_name("gpt-5.4"), judge_name("llm:yes:gpt-5.4"), judge_name("rules")
    ('llm:gpt-5.4', 'llm:yes:gpt-5.4', None)
    """
    kind = name.partition(":")[0]
    if kind in FREE:
        return None
    return name if kind == KIND else f"{KIND}:{name}"


def scale_of(judge: str, low: float, high: float) -> float:
    """What a judge's grades are divided by, so that they are in 0..1.

    >>> scale_of("j", 1.0, 9.0)
    10.0
    """
    top = next((top for top in TOPS if high <= top), None)
    if low < 0 or top is None:
        raise BadInput(f"judge '{judge[:80]}' grades from {low:g} to {high:g}", where=WHERE)
    return top


def _judge(name: str, rows: pl.DataFrame, *, models: tuple[str, ...]) -> GradedJudge:
    grades = rows["judge_score"]
    top = scale_of(name, float(grades.min() or 0.0), float(grades.max() or 0.0))  # type: ignore[arg-type]  # of a float column
    columns = rows.select("query_id", "model", "judge_score", "cost_usd").iter_rows()
    own = family_word(name)
    return GradedJudge(
        name,
        {(query_id, model): (grade / top, cost) for query_id, model, grade, cost in columns},
        kin=frozenset(model for model in models if family_word(model) == own),
    )
