"""Recorded grades: asked for by the policy, read by the panel, and paid for."""

from __future__ import annotations

import pytest

pytest.importorskip("polars")

import numpy as np
import polars as pl
from tests.replay.recorded_table import frame_of, rows_of

from emafusion.domain.errors import BadInput
from emafusion.lab.replaying import Asked, replay
from emafusion.replay.decisions import decisions_of
from emafusion.replay.grades import judges_of, scale_of
from emafusion.replay.records import records_of
from emafusion.tables.query import query_of

ROWS = rows_of(20)
GRADES = pl.DataFrame(
    [
        {
            "query_id": row["query_id"],
            "model": row["model"],
            "judge": "strict",
            "repeat": repeat,
            "judge_score": 9.0 if row["score"] else 1.0,
            "cost_usd": 0.000001,
        }
        for row in ROWS
        for repeat in (0, 1)
    ]
)


def test_a_cascade_asks_and_pays_the_judge() -> None:
    """Each answer that is called is graded once, and the grade is in the cost."""
    asked = Asked(policy="cascade", quality_weights=(0.0,))
    free = replay(frame_of(ROWS), None, asked)
    paid = replay(frame_of(ROWS), None, asked, judges=GRADES)
    assert paid.runs[0].cost_usd - free.runs[0].cost_usd == pytest.approx(1e-6 * paid.runs[0].calls)
    judged = decisions_of(paid.records, paid.runs)["judges"].to_list()
    assert all("strict" in names for names in judged)


def test_good_grades_are_believed() -> None:
    """Right answers end with more confidence than wrong ones, which they did not without."""
    asked = Asked(policy="cascade", quality_weights=(0.0,))
    paid = replay(frame_of(ROWS), None, asked, judges=GRADES)
    run, rows = paid.runs[0], np.arange(20)
    right = paid.records.score[rows, run.model] == 1
    assert run.confidence[right].min() > run.confidence[~right].max()


def test_one_unknown_cost_makes_the_judge_unpriced() -> None:
    """Unknown is not free."""
    holed = GRADES.with_columns(
        pl.when(pl.col("query_id") == "q3")
        .then(None)
        .otherwise(pl.col("cost_usd"))
        .alias("cost_usd")
    )
    (judge,) = judges_of(holed, records_of(frame_of(ROWS), query_of))
    assert judge.card.name == "llm:strict"
    assert judge.card.cost_usd is None


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 1000.0)])
def test_a_scale_that_is_none_is_told(low: float, high: float) -> None:
    """Grades are 0 to 1, 10 or 100."""
    with pytest.raises(BadInput, match="judge 'j' grades from"):
        scale_of("j", low, high)


def test_grades_of_a_log_keep_the_names_of_its_judges() -> None:
    """So that what is fitted on them serves; free judges read the answers anew."""
    names = ("llm:yes:small", "llm:big", "rules", "user:mine")
    logged = pl.concat([GRADES.with_columns(judge=pl.lit(name)) for name in names])
    found = judges_of(logged, records_of(frame_of(ROWS), query_of))
    assert [judge.card.name for judge in found] == ["llm:big", "llm:yes:small"]


def test_a_recorded_judge_does_not_grade_its_own_family() -> None:
    """As served: the same rule in replay, by the words of the names."""
    records = records_of(frame_of(ROWS), query_of)
    own = records.models[0]
    (judge,) = judges_of(GRADES.with_columns(judge=pl.lit(f"{own}-9")), records)
    assert judge.card.kin == {own}
    (stranger,) = judges_of(GRADES, records)
    assert not stranger.card.kin
