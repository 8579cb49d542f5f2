"""What the grades of LLM judges are worth on this work, where labels say, and where none do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.domain.query import Query
from emafusion.judge.asked import form_of
from emafusion.judge.curve import logit
from emafusion.judge.heads import ANY, Heads
from emafusion.judge.state import PanelState
from emafusion.learn.panel.beside import with_beside
from emafusion.learn.panel.heads import Graded, fit_heads
from emafusion.learn.panel.unlabelled import fit_unlabelled
from emafusion.replay.grades import first_grades, scale_of
from emafusion.replay.records import Records, records_of
from emafusion.tables.query import query_of

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grades:
    """First grades of k judges, by answer.

    `judges`: named `llm:NAME`; `rows`, `columns`: int64[N], place of each graded answer in the
    records; `value`: float64[N, k] in 0..1, NaN where a judge gave none.
    """

    judges: tuple[str, ...]
    rows: Ints
    columns: Ints
    value: Floats


def grades_of(judges: pl.DataFrame, records: Records) -> Grades:
    """Read a judge table; of repeats the first counts, as a served judge is asked once.

    Raises `BadInput` for grades on no known scale.
    """
    import polars as pl

    place = {query.query_id: i for i, query in enumerate(records.queries)}
    column = {name: k for k, name in enumerate(records.models)}
    once = first_grades(judges, records)
    names = tuple(once["judge"].unique().sort().to_list())
    answers = once.select("query_id", "model").unique().sort("query_id", "model")
    if not names:
        nothing = np.zeros(0, np.int64)
        return Grades(judges=(), rows=nothing, columns=nothing, value=np.zeros((0, 0)))
    wide = answers
    for name in names:
        own = once.filter(pl.col("judge") == name)
        low, high = own["judge_score"].min(), own["judge_score"].max()
        scale = scale_of(name, float(low or 0.0), float(high or 0.0))  # type: ignore[arg-type]  # of a float column
        said = own.select("query_id", "model", (pl.col("judge_score") / scale).alias(f"={name}"))
        wide = wide.join(said, on=["query_id", "model"], how="left", maintain_order="left")
    value = wide.select([f"={name}" for name in names]).fill_null(float("nan")).to_numpy()
    return Grades(
        judges=names,
        rows=np.array([place[query_id] for query_id in wide["query_id"]], np.int64),
        columns=np.array([column[model] for model in wide["model"]], np.int64),
        value=value.astype(np.float64),
    )


def measured(
    state: PanelState, grades: Grades, *, records: Records, quality: Floats
) -> tuple[PanelState, tuple[str, ...]]:
    """The panel with these judges, measured where scores are known, and caveats.

    `quality`: float64[n, m], predicted of each answer while its query was held out, NaN where
    nothing was. Without any score the judges are weighed by what they have in common.
    """
    right = records.score[grades.rows, grades.columns]
    known = np.isfinite(right)
    graded = _graded(state, grades, records=records, quality=quality)
    heads = fit_heads(graded.where(known))
    if heads is not None:
        return _with(state, with_beside(heads, graded, grades.rows)), ()
    return unmeasured(state, grades)


def unmeasured(state: PanelState, grades: Grades) -> tuple[PanelState, tuple[str, ...]]:
    """The panel with judges of which no label tells anything, and caveats."""
    found = fit_unlabelled(grades.judges, grades.value) if grades.judges else None
    if found is None:
        return state, ()
    return _with(state, found.heads), found.alarms


def by_judges(frame: pl.DataFrame, judges: pl.DataFrame) -> pl.DataFrame | None:
    """What judges make of each graded answer, without labels, as its score; None if they tell none.

    The scores rank answers; their level is stated, not known.
    """
    import polars as pl

    records = records_of(frame, query_of)
    grades = grades_of(judges, records)
    found = fit_unlabelled(grades.judges, grades.value) if grades.judges else None
    if found is None:
        return None
    rows = (dict(zip(grades.judges, row, strict=True)) for row in grades.value.tolist())
    names = found.heads.names
    said = [{n: row[n] for n in names if np.isfinite(row[n])} for row in rows]
    odds = np.array([found.heads.evidence(each, ANY, log_length=None) for each in said])
    places: list[int] = grades.rows.tolist()
    columns: list[int] = grades.columns.tolist()
    scores = pl.DataFrame(
        {
            "query_id": [records.queries[i].query_id for i in places],
            "model": [records.models[k] for k in columns],
            "score": 1.0 / (1.0 + np.exp(-odds)),
        }
    )
    return frame.drop("score").join(scores, on=["query_id", "model"], how="left")


def tasks_of(query: Query) -> tuple[str, ...]:
    """What a query counts to, the widest first; see `judge.panel`."""
    form = f"form/{form_of(query)}"
    return (form, f"dataset/{query.dataset}") if query.dataset else (form,)


def _graded(state: PanelState, grades: Grades, *, records: Records, quality: Floats) -> Graded:
    tasks = [tasks_of(query) for query in records.queries]
    forms = [state.forms[form_of(query)] for query in records.queries]
    rate = float(np.nanmean(records.score)) if records.is_scored else 0.5
    believed = np.where(np.isfinite(quality), quality, rate)
    pairs: list[tuple[int, int]] = list(
        zip(grades.rows.tolist(), grades.columns.tolist(), strict=True)
    )
    base = [forms[i].bias + forms[i].quality * logit(float(believed[i, k])) for i, k in pairs]
    lengths = [len(records.responses[int(records.row[i, k])] or "") for i, k in pairs]
    return Graded(
        judges=grades.judges,
        value=grades.value,
        right=records.score[grades.rows, grades.columns],
        base=np.array(base),
        log_length=np.array([np.log(length) if length else np.nan for length in lengths]),
        tasks=[tasks[i] for i, _ in pairs],
    )


def _with(state: PanelState, heads: Heads) -> PanelState:
    """The panel with measured judges, whose curves stand among the others."""
    own = dict(zip(heads.names, heads.curves, strict=True))
    return replace(state, curves=MappingProxyType(dict(state.curves) | own), heads=heads)
