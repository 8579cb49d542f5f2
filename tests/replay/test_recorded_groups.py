"""Which recorded answers are equal: by the table's own short answers, else by reading."""

from __future__ import annotations

import pytest

pytest.importorskip("polars")

from tests.replay.recorded_table import frame_of, rows_of

from emafusion.build.replay_reading import RecordedGrouper
from emafusion.domain.command import Call
from emafusion.domain.model import Candidate, Model
from emafusion.judge.grouping import NOTHING
from emafusion.replay.recorded import RecordedAnswers
from emafusion.replay.records import records_of
from emafusion.tables.query import query_of


def groups(rows: list[dict[str, object]]) -> tuple[int, ...]:
    """Of all answers to the first query, in the order large, middle, small."""
    records = records_of(frame_of(rows), query_of)
    recorded, query = RecordedAnswers(records), records.queries[0]
    attempts = tuple(
        recorded(
            Call(
                query=query,
                candidate=Candidate(
                    name=name,
                    model=Model(name=name, provider="x"),
                    deployment="recorded",
                    remote_name=name,
                ),
            )
        )
        for name in records.models
    )
    return RecordedGrouper(records)(query, attempts)


def test_recorded_answers_decide() -> None:
    """Whatever the responses say."""
    rows = rows_of(1, response="Answer: 7")
    rows[2]["answer"] = "nine"
    assert groups(rows) == (0, 1, 1)


def test_numbers_are_equal_however_they_are_written() -> None:
    """As live: the same spelling of a short answer."""
    small, middle, large = rows_of(1)
    small["answer"], middle["answer"], large["answer"] = "12", "12.0", "$12"
    assert groups([small, middle, large]) == (0, 0, 0)


def test_an_answer_that_was_not_read_is_alone() -> None:
    """Where others were: the table's reader found none, so nothing can equal it."""
    rows = rows_of(1)
    rows[2]["answer"] = None
    assert groups(rows) == (NOTHING, 0, 0)


def test_without_recorded_answers_the_responses_are_read() -> None:
    """By the served reader."""
    rows = rows_of(1, answer=None)
    rows[2]["response"] = "So that makes 5.\nAnswer: 5"
    assert groups(rows) == (0, 1, 1)
