"""Which recorded answers are equal: by the table's own short answers, else by reading."""

from __future__ import annotations

import pytest

pytest.importorskip("polars")

from tests.replay.recorded_table import frame_of, rows_of

from emafusion.build.replay_reading import RecordedGrouper
from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call
from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.domain.model import Candidate, Model
from emafusion.judge.grouping import NOTHING
from emafusion.judge.rules import RulesJudge
from emafusion.replay.reading import RecordedJudge
from emafusion.replay.recorded import RecordedAnswers
from emafusion.replay.records import Records, records_of
from emafusion.tables.query import query_of


def groups(rows: list[dict[str, object]]) -> tuple[int, ...]:
    """Of all answers to the first query, in the order large, middle, small."""
    records = records_of(frame_of(rows), query_of)
    return RecordedGrouper(records)(records.queries[0], attempts_in(records))


def attempts_in(records: Records) -> tuple[Attempt, ...]:
    """All answers to the first query, as recorded."""
    recorded, query = RecordedAnswers(records), records.queries[0]
    return tuple(
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


def value_of(rows: list[dict[str, object]]) -> float | None:
    """What the hard checks say of the first answer to the first query."""
    records = records_of(frame_of(rows), query_of)
    judge = RecordedJudge(RulesJudge(), records.unread, records.answered)
    case = Case(
        query=records.queries[0],
        candidates=(),
        evidence=Evidence(attempts=attempts_in(records)),
        attempt=0,
    )
    flow = judge.judge(case)
    try:
        next(flow)
    except StopIteration as end:
        judgement: Judgement = end.value
        return judgement.value
    raise AssertionError("hard checks ask nobody")


def test_a_refusal_in_which_the_table_found_an_answer_is_none() -> None:
    """Where it found none, it is one: "no call fits" may be what was asked for."""
    refused = {"response": "I'm sorry, but I cannot help with that."}
    assert value_of(rows_of(1, answer="no call", **refused)) is None
    assert value_of(rows_of(1, answer=None, **refused)) == 0.0


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
