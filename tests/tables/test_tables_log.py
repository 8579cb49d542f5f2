"""The gateway's own log as a table."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from msgspec import structs
from tests.store.outcomes import answer, escalated_answer, failed_answer, outcome, said
from tests.tables.importing import Import

from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.domain.evidence import Merge
from emafusion.domain.outcome import Answer
from emafusion.store.feedback.feedback import Feedback
from emafusion.store.feedback.sqlite_feedback import SqliteFeedback
from emafusion.store.log import OutcomeLog
from emafusion.store.texts import Prompts
from emafusion.tables.read import read_judges, read_outcomes


def _log(path: Path, *answers: Answer, prompts: Prompts = "full") -> Path:
    now = time.time()

    async def write() -> None:
        log = OutcomeLog.open(path, prompts=prompts)
        for number, given in enumerate(answers):
            await log.append(outcome(f"em-{number}", given=given, created_at=now - number))
        await log.close()

    asyncio.run(write())
    return path


def test_a_log_is_a_table_of_its_answers(tmp_path: Path) -> None:
    """Failed calls are told and left out; scores are unknown until there is feedback."""
    path = _log(tmp_path / "log.sqlite", answer(), escalated_answer(), failed_answer())
    read = read_outcomes([path])
    assert read.frame.select("query_id", "model", "response", "score", "sample").rows() == [
        ("em-0", "small", "It is 4.", None, 0),
        ("em-1", "small", "It is 41.", None, 0),
        ("em-1", "large", "It is 42.", None, 0),
    ]
    assert list(read.notes()) == ["calls that failed left out: 1"]


def test_answers_of_several_models_to_one_conversation_are_one_query(tmp_path: Path) -> None:
    """So who asks each by its name can compare them; asked the same again it is another query."""
    given = (answer(candidate="large"), answer(candidate="small"), answer(candidate="small"))
    read = read_outcomes([_log(tmp_path / "log.sqlite", *given)])
    assert read.frame.select("query_id", "model").rows() == [
        ("em-0", "large"),
        ("em-0", "small"),
        ("em-2", "small"),
    ]


def test_what_was_written_of_several_answers_is_nobodys(tmp_path: Path) -> None:
    """A merged text is no answer of who wrote it; answers to parts answer another question."""
    given = answer()
    merge = Merge(attempt=said("large", "It is four."), of=(0,), over=0, kept=True)
    merged = structs.replace(given, evidence=structs.replace(given.evidence, merge=merge))
    split = structs.replace(answer("Oslo"), route="parts")
    read = read_outcomes([_log(tmp_path / "log.sqlite", merged, split)])
    assert read.frame.select("model", "response").rows() == [("small", "It is 4.")]
    assert sorted(read.notes()) == [
        "answers to parts of a query left out: 1", "calls made to fuse left out: 1",
    ]  # fmt: skip


def test_judgements_of_a_log_are_grades(tmp_path: Path) -> None:
    """With what they cost."""
    path = _log(tmp_path / "log.sqlite", escalated_answer())
    imported = Import(tmp_path, "log", path)
    assert [(row["model"], row["judge"], row["judge_score"]) for row in imported.grades] == [
        ("small", "rules", 0.2),
        ("large", "rules", 0.95),
    ]
    with pytest.raises(BadInput, match="is a log, no judge table"):
        read_judges([path])


def test_a_log_without_answers_says_what_there_is_instead(tmp_path: Path) -> None:
    """Nothing of it is a row."""
    path = _log(tmp_path / "log.sqlite", failed_answer())
    with pytest.raises(BadInput, match=r"has no rows, only calls that failed \(1\)"):
        read_outcomes([path])
    with pytest.raises(BadInput, match="has no rows"):
        read_outcomes([_log(tmp_path / "empty.sqlite")])


def test_a_log_that_keeps_no_texts_serves_where_only_scores_matter(tmp_path: Path) -> None:
    """Digests are no questions."""
    path = _log(tmp_path / "log.sqlite", answer(), prompts="hash")
    with pytest.raises(BadInput, match="row 1: prompt and messages are both empty"):
        read_outcomes([path])
    assert read_outcomes([path], prompts="optional").frame["cost_usd"].to_list() == [0.00002]


async def test_what_people_said_is_the_score_of_the_answer(tmp_path: Path) -> None:
    """Of the answer that was given, and of no other."""
    log = OutcomeLog.open(tmp_path / "log.sqlite")
    for decision_id in ("em-1", "em-2"):
        await log.append(outcome(decision_id, given=escalated_answer()))
    await log.close()
    feedback = SqliteFeedback(log.path)
    told = Feedback(decision_id="em-1", created_at=1.0, source="label", score=0.25)
    await feedback.add(told)
    await feedback.close()
    frame = read_outcomes([log.path]).frame
    assert frame["score"].drop_nulls().to_list() == [0.25]


def test_a_database_is_named_by_a_variable() -> None:
    """One that is not set is told by its name."""
    with pytest.raises(EmafusionError, match="NOT_SET_ANYWHERE"):
        read_outcomes([Path("postgres:NOT_SET_ANYWHERE")])
