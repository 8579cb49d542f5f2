"""Rows that come again in a table."""

from __future__ import annotations

from pathlib import Path

from tests.tables.making import GOOD, good, jsonl

from emafusion.tables.read import read_judges, read_outcomes


def test_rows_that_are_equal_in_every_column_are_one_row(tmp_path: Path) -> None:
    """Such as those of a file that is given twice."""
    path = jsonl(tmp_path / "a.jsonl", [GOOD, good(query_id="q2")])
    read = read_outcomes([path, path])
    assert read.frame["query_id"].to_list() == ["q1", "q2"]
    assert read.frame["sample"].to_list() == [None, None]
    assert list(read.notes()) == ["2 exact repeats left out"]


def test_different_answers_of_one_model_are_numbered_as_samples(tmp_path: Path) -> None:
    """In the order of the table; a model that answered once has no number."""
    rows = [good(response="4"), good(model="large"), good(response="5"), good(response="4")]
    read = read_outcomes([jsonl(tmp_path / "a.jsonl", rows)])
    assert read.frame.select("model", "response", "sample").rows() == [
        ("small", "4", 0),
        ("large", None, None),
        ("small", "5", 1),
    ]
    assert read.repeats == 1


def test_numbers_that_are_given_are_kept_and_the_others_get_what_is_free(tmp_path: Path) -> None:
    """Two tables that both count from 0 are joined without losing an answer."""
    rows = [good(response=text, sample=sample) for text, sample in
            [("a", 1), ("b", 0), ("c", 0), ("d", None), ("a", 1)]]  # fmt: skip
    read = read_outcomes([jsonl(tmp_path / "a.jsonl", rows)])
    assert read.frame.select("response", "sample").rows() == [
        ("a", 1),
        ("b", 0),
        ("c", 2),
        ("d", 3),
    ]


def test_grades_of_one_judge_are_numbered_as_repeats(tmp_path: Path) -> None:
    """A judge asked twice gives two grades."""
    grade = {"query_id": "q1", "model": "small", "judge": "strict"}
    rows = [{**grade, "judge_score": score} for score in (7, 8)]
    read = read_judges([jsonl(tmp_path / "a.jsonl", rows)])
    assert read.frame["repeat"].to_list() == [0, 1]


def test_a_row_without_a_number_is_numbered_beside_one_that_has_one(tmp_path: Path) -> None:
    """Also where no two rows have the same number."""
    rows = [good(response="a"), good(response="b", sample=0), good(response="c", query_id="q2")]
    read = read_outcomes([jsonl(tmp_path / "a.jsonl", rows)])
    assert read.frame.select("response", "sample").rows() == [("a", 1), ("b", 0), ("c", None)]


def test_a_number_that_is_given_once_stays_though_a_repeat_is_dropped(tmp_path: Path) -> None:
    """Five samples of ten, recorded twice."""
    rows = [good(sample=sample, response=str(sample)) for sample in (3, 5, 9)] * 2
    read = read_outcomes([jsonl(tmp_path / "a.jsonl", rows)])
    assert (read.frame["sample"].to_list(), read.repeats) == ([3, 5, 9], 3)
