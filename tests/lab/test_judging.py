"""The panel by itself, on data frames."""

from __future__ import annotations

import pytest

pytest.importorskip("polars")

import numpy as np
import polars as pl

from emafusion.domain.errors import BadInput
from emafusion.lab import Artifact, Spend, Stake, fit, judge_answers, worth_of
from emafusion.lab.stakes import Crowd

QUERIES, LABELLED = 160, 100
JUDGES = (("large", 1.8, 0.01), ("small", 1.2, 0.001), ("tiny", 0.6, 0.0001))


@pytest.fixture(scope="module")
def tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Three answers a query, one of them right, and grades of 0 to 10 by three judges."""
    rng = np.random.default_rng(0)
    answers = [(f"q{i}", m, float(k == i % 3)) for i in range(QUERIES) for k, m in enumerate("abc")]
    lenient = dict(zip([f"q{i}" for i in range(QUERIES)], rng.normal(size=QUERIES), strict=True))
    grades = [
        (q, m, judge, float(np.clip(5 + 2 * (skill * s + lenient[q] + rng.normal()), 0, 10)), usd)
        for q, m, s in answers
        for judge, skill, usd in JUDGES
    ]
    names = ["query_id", "model", "judge", "judge_score", "cost_usd"]
    frame = pl.DataFrame(answers, schema=["query_id", "model", "score"], orient="row")
    return frame, pl.DataFrame(grades, schema=names, orient="row")


@pytest.fixture(scope="module")
def artifact(tables: tuple[pl.DataFrame, pl.DataFrame]) -> Artifact:
    """What is learned from the labels of some queries."""
    answers, grades = tables
    few = pl.col("query_id").is_in([f"q{i}" for i in range(LABELLED)])
    return fit(answers.with_columns(score=pl.when(few).then("score")), judges=grades)


def unseen(answers: pl.DataFrame) -> pl.DataFrame:
    """Answers that had no label."""
    return answers.filter(~pl.col("query_id").is_in([f"q{i}" for i in range(LABELLED)]))


def test_answers_are_read_beside_the_others_to_their_query(
    tables: tuple[pl.DataFrame, pl.DataFrame], artifact: Artifact
) -> None:
    """Which is told, with what it would have been without."""
    answers, grades = tables
    worth = worth_of(judge_answers(unseen(answers), artifact, judges=grades))
    assert worth.alone is not None
    assert worth.standings[0].auc is not None
    assert worth.alone.auc is not None
    assert worth.standings[0].auc > worth.alone.auc + 0.03
    one = unseen(answers).filter(pl.col("model") == "a")
    assert worth_of(judge_answers(one, artifact, judges=grades)).alone is None


def test_half_of_the_money_keeps_most_of_it(
    tables: tuple[pl.DataFrame, pl.DataFrame], artifact: Artifact
) -> None:
    """The dear judge is kept for answers of which the others are not sure."""
    answers, grades = tables
    judged = judge_answers(unseen(answers), artifact, judges=grades, stake=Spend(share=0.5))
    whole = judge_answers(unseen(answers), artifact, judges=grades)
    assert judged.cost_usd.sum() <= 0.5 * judged.whole_usd + 1e-9
    ours, all_of_it = (worth_of(each).standings[0].auc or 0.0 for each in (judged, whole))
    assert ours > all_of_it - 0.05
    heard = np.array(["llm:large" in names for names in judged.asked])
    unsure = np.abs(whole.confidence - 0.5)
    assert unsure[heard].mean() < unsure[~heard].mean()


def test_a_stake_takes_prices_and_a_table_its_columns(
    tables: tuple[pl.DataFrame, pl.DataFrame], artifact: Artifact
) -> None:
    """One line says what is missing."""
    answers, grades = tables
    for stake in (Spend(share=0.5), Stake(value_usd=1.0)):
        with pytest.raises(BadInput, match="cost_usd"):
            judge_answers(answers, artifact, judges=grades.drop("cost_usd"), stake=stake)
    with pytest.raises(BadInput, match="judge_score"):
        judge_answers(answers, artifact, judges=grades.drop("judge_score"))


def test_a_crowd_ranks_an_answer_where_it_stands() -> None:
    """What is won lies where the other answers are many."""
    crowd = Crowd.of([0.1, 0.1, 0.1, 0.9])
    gains = [crowd.worth(p + 0.04) + crowd.worth(p - 0.04) - 2 * crowd.worth(p) for p in (0.1, 0.5)]
    assert gains[0] > gains[1] - 1e-12
    assert gains[1] == pytest.approx(0.0)
