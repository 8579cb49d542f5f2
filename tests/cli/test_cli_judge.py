"""`emafusion judge`: how far recorded answers can be trusted, by their recorded judges."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("polars")

import numpy as np
import polars as pl
from tests.cli.running import Shell

ARGUMENTS = ("judge", "answers.parquet", "--judges", "grades.parquet", "--artifact", "fitted")


JUDGES = (("gpt-x", 3.0, 0.01), ("claude-y", 2.0, 0.001), ("gemma", 0.5, 0.0001))


@pytest.fixture
def judging(shell: Shell) -> Shell:
    """A folder with answers without texts, grades of three judges, and an artifact made of both."""
    rng = np.random.default_rng(0)
    queries, models = [f"q{i}" for i in range(60)], ("a", "b", "c")
    answers = [(q, m, float(rng.random() < 0.4)) for q in queries for m in models]
    frame = pl.DataFrame(answers, schema=["query_id", "model", "score"], orient="row")
    frame.write_parquet(shell.folder / "answers.parquet")
    grades = [
        (q, m, judge, 0, float(np.clip(round(4 + skill * s + 1.5 * rng.normal()), 0, 10)), usd)
        for q, m, s in answers
        for judge, skill, usd in JUDGES
    ]
    names = ["query_id", "model", "judge", "repeat", "judge_score", "cost_usd"]
    pl.DataFrame(grades, schema=names, orient="row").write_parquet(shell.folder / "grades.parquet")
    done = shell.run("fit", "answers.parquet", "--judges", "grades.parquet", "--out", "fitted")
    assert done.code == 0, done.err
    return shell


def test_the_panel_is_ranked_beside_its_judges(judging: Shell) -> None:
    """Also where the texts that were graded are not known."""
    done = judging.run(*ARGUMENTS, "--out", "judged.jsonl", "--json")
    assert done.code == 0, done.err
    worth = json.loads(done.out)
    assert worth["standings"][0]["name"] == "panel"
    assert worth["standings"][0]["auc"] >= worth["standings"][2]["auc"] - 0.01
    assert worth["median_judges"] == 3
    text = (judging.folder / "judged.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 180
    assert all(0.0 < row["confidence"] < 1.0 for row in rows)


def test_judges_are_heard_while_it_pays(judging: Shell) -> None:
    """The less an answer is worth, the fewer are asked; a person is told at what cost."""
    shares = []
    for usd in ("0.0001", "0.5", "1000"):
        done = judging.run(*ARGUMENTS, "--answer-value-usd", usd, "--json")
        assert done.code == 0, done.err
        shares.append(json.loads(done.out)["cost_share"])
    assert shares[0] < shares[1] <= shares[2] <= 1.0
    told = judging.run(*ARGUMENTS, "--answer-value-usd", "0.5").out
    assert "Judges heard for an answer:" in told


def test_a_share_of_the_cost_is_spent(judging: Shell) -> None:
    """Never more than that; who says both ways to stop is told to choose."""
    done = judging.run(*ARGUMENTS, "--spend", "0.5", "--json")
    assert done.code == 0, done.err
    worth = json.loads(done.out)
    assert 0.4 < worth["cost_share"] <= 0.5 + 1e-9
    both = judging.run(*ARGUMENTS, "--spend", "0.5", "--answer-value-usd", "1")
    assert both.code == 2
    assert "--answer-value-usd" in both.err


def test_without_labels_the_confidence_is_relative(judging: Shell) -> None:
    """Where no answers can be compared the judges stand in for labels, and the card says so."""
    blind = ("fit", "answers.parquet", "--labels", "none", "--out", "blind")
    refused = judging.run(*blind)
    assert refused.code == 2
    done = judging.run(*blind, "--judges", "grades.parquet")
    assert done.code == 0, done.err
    assert "Confidence is relative" in done.out
    worth = json.loads(judging.run(*ARGUMENTS[:4], "--artifact", "blind", "--json").out)
    panel, plain = (worth["standings"][k]["auc"] for k in (0, 1))
    assert panel > plain - 0.01


def test_grades_of_nothing_are_refused(judging: Shell) -> None:
    """A judge table of other answers."""
    frame = pl.read_parquet(judging.folder / "grades.parquet")
    frame.with_columns(query_id=pl.lit("other")).write_parquet(judging.folder / "other.parquet")
    done = judging.run("judge", "answers.parquet", "--judges", "other.parquet")
    assert done.code == 2
    assert "grades no answer of the outcome table" in done.err


def test_few_labels_and_all_confidences_tell_the_mean(judging: Shell) -> None:
    """Nearer than the labels alone, with an interval that holds the true one."""
    path = judging.folder / "answers.parquet"
    whole = pl.read_parquet(path)
    few = pl.col("query_id").is_in([f"q{i}" for i in range(20)])
    whole.with_columns(score=pl.when(few).then("score")).write_parquet(path)
    done = judging.run(*ARGUMENTS, "--json")
    assert done.code == 0, done.err
    worth = json.loads(done.out)
    low, high = (worth["mean"][name] for name in ("low", "high"))
    assert low < float(whole["score"].mean() or 0.0) < high  # type: ignore[arg-type]  # of a float column
    assert high - low < worth["by_labels"]["high"] - worth["by_labels"]["low"]
    told = " ".join(judging.run(*ARGUMENTS).out.split())
    assert "by 60 labels and every confidence" in told
