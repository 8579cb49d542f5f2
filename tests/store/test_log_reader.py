"""Reading the log: rows that are asked for, one decision, sums, and the outcome table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.store.outcomes import answer, escalated_answer, failed_answer, outcome

from emafusion.domain.errors import BadInput
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Message, Query, TextPart
from emafusion.store.connection import connect, open_log
from emafusion.store.estimates import LabelNames
from emafusion.store.filter import Filter
from emafusion.store.log import OutcomeLog
from emafusion.store.read import LogReader
from emafusion.store.recording import Recorder
from emafusion.store.rows import Row, insert, to_row
from emafusion.store.texts import Texts

RECORDER = Recorder(texts=Texts(prompts="full"), names=LabelNames())


def write(path: Path, *given: Outcome) -> None:
    """Put outcomes into a file."""
    open_log(path)
    connection = connect(path, patience_s=1.0)
    insert(connection, [to_row(RECORDER.record(each)) for each in given])
    connection.close()


def conversation(decision_id: str) -> Outcome:
    """Several turns, the second about a `100 %` "quote"."""
    said = (("system", "Be kind."), ("user", 'Is 100 % a "lot"?'), ("user", "Well?"))
    turns = tuple(
        Message(role=role, parts=(TextPart(text=text),))  # type: ignore[arg-type]  # literals
        for role, text in said
    )
    asked = Query(query_id=decision_id, messages=turns)
    return replace(outcome(decision_id, created_at=40.0), query=asked, session="s-2")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[LogReader]:
    """Four requests: accepted, escalated, failed, a conversation."""
    path = tmp_path / "log.sqlite"
    write(
        path,
        outcome("em-aa1", created_at=10.0),
        outcome("em-aa2", created_at=20.0, given=escalated_answer("It is forty-two.")),
        outcome("em-b", created_at=30.0, given=failed_answer()),
        conversation("em-c"),
    )
    with LogReader(path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), "c b aa2 aa1"),
        (Filter(since=20.0), "c b aa2"),
        (Filter(until=20.0), "aa1"),
        (Filter(since=15.0, until=35.0), "b aa2"),
        (Filter(candidate="large"), "aa2"),
        (Filter(route="direct"), "b"),
        (Filter(status=503), "b"),
        (Filter(session="s-2"), "c"),
        (Filter(min_confidence=0.92), "aa2"),
        (Filter(max_confidence=0.92), "c aa1"),
        (Filter(failed=True), "b"),
        (Filter(escalated=True), "aa2"),
        (Filter(text="forty-TWO"), "aa2"),
        (Filter(text="be kind"), "c"),
        (Filter(text='100 % a "lot"'), "c"),
        (Filter(text="100 _ a"), ""),
        (Filter(text="candidate"), ""),
        (Filter(text="2 + 2", failed=True), "b"),
    ],
)
def test_filters_choose_rows_newest_first(reader: LogReader, chosen: Filter, expected: str) -> None:
    """Every condition on its own, and two together."""
    names = [f"em-{name}" for name in expected.split()]
    assert [row.decision_id for row in reader.rows(chosen)] == names
    assert [record.row.decision_id for record in reader.records(chosen)] == names
    assert reader.totals(chosen).requests == len(names)


def test_a_limit_leaves_the_newest(reader: LogReader) -> None:
    """As a list on a screen would show them."""
    assert [row.decision_id for row in reader.rows(limit=2)] == ["em-c", "em-b"]


def test_a_decision_is_found_by_the_beginning_or_the_end_of_its_id(reader: LogReader) -> None:
    """As long as only one is like that."""
    found = reader.get("em-b")
    assert found is not None
    assert found.row.failure == "overloaded"
    assert found.detail.failure_message == "busy"
    whole = reader.get("em-aa1")
    assert whole is not None
    assert whole.answer == "It is 4."
    assert reader.get("em-z") is None
    assert reader.get("") is None
    with pytest.raises(BadInput, match="several decisions begin with em-a"):
        reader.get("em-a")
    by_end = reader.get("aa2")
    assert by_end is not None
    assert by_end.row.decision_id == "em-aa2"


def test_totals_leave_out_what_is_unknown_and_say_how_much(reader: LogReader) -> None:
    """Sums of what is known; shares add up to one."""
    totals = reader.totals()
    assert (totals.requests, totals.failed, totals.escalated) == (4, 1, 1)
    assert totals.cost_usd == pytest.approx(0.00002 * 3 + 0.004)
    assert (totals.unpriced, totals.compared) == (0, 3)
    assert totals.saved_usd == pytest.approx(0.004 * 2 + 0.0041 - 0.00002 * 3 - 0.004)
    assert [(share.name, share.requests) for share in totals.candidates] == [
        ("small", 2),
        ("-", 1),
        ("large", 1),
    ]
    assert sum(share.share for share in totals.routes) == pytest.approx(1.0)
    assert (totals.latency_p50_s, totals.overhead_p95_ms) == (0.45, 0.8)


def test_totals_of_nothing_are_unknown_not_zero(reader: LogReader) -> None:
    """No request has no mean."""
    totals = reader.totals(Filter(route="nowhere"))
    assert (totals.requests, totals.cost_usd, totals.mean_confidence) == (0, None, None)
    assert (totals.latency_p50_s, totals.candidates) == (None, ())


def test_the_outcome_table_has_a_row_for_each_attempt(reader: LogReader) -> None:
    """In the columns that replay and learning read."""
    table = list(reader.to_outcome_rows(Filter(escalated=True)))
    assert [(row.model, row.response, row.sample) for row in table] == [
        ("small", "It is 41.", 0),
        ("large", "It is forty-two.", 0),
    ]
    assert table[0].prompt_tokens == 12
    assert table[0].score is None
    columns = list(msgspec.structs.asdict(table[0]))
    assert columns[:6] == ["query_id", "prompt", "messages", "dataset", "model", "response"]


async def test_the_log_can_be_followed_while_it_is_written(tmp_path: Path) -> None:
    """Marks take up where the last look ended."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    await log.append(outcome("em-1"))
    with LogReader(log.path) as reader:
        mark = reader.mark()
        await log.append(outcome("em-2"))
        await log.append(outcome("em-3", given=escalated_answer()))
        mark, found = reader.after(mark)
        assert [record.row.decision_id for record in found] == ["em-2", "em-3"]
        await log.append(outcome("em-4", given=answer()))
        assert reader.after(mark, Filter(escalated=True))[1] == []
        assert [record.row.decision_id for record in reader.after(mark)[1]] == ["em-4"]
    await log.close()


def test_a_hundred_thousand_rows_are_filtered_within_a_second_or_two(tmp_path: Path) -> None:
    """Lists and totals read the narrow table alone; a generous bound, for slow machines."""
    path = tmp_path / "log.sqlite"
    open_log(path)
    template = to_row(RECORDER.record(outcome(given=escalated_answer())))
    light = to_row(RECORDER.record(outcome(given=failed_answer()))).detail
    connection = connect(path, patience_s=1.0)
    rows = (Row((f"em-{n:06}", float(n), *template.outcome[2:]), light) for n in range(100_000))
    insert(connection, rows)
    connection.close()
    with LogReader(path) as reader:
        started = time.perf_counter()
        rare = list(reader.rows(Filter(route="taxonomy"), limit=50))
        newest = list(reader.rows(limit=50))
        whole = reader.get("em-050000")
        totals = reader.totals(Filter(candidate="large"))
        took_s = time.perf_counter() - started
    assert (rare, len(newest), newest[0].decision_id) == ([], 50, "em-099999")
    assert whole is not None
    assert totals.requests == 100_000
    assert took_s < 5.0
