"""Handing out answers to look at: nobody is asked in vain, and nothing that was said is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.store.outcomes import outcome

from emafusion.domain.errors import BadInput
from emafusion.gateway.labels.desk import LEASE_S, Desk
from emafusion.store.feedback.feedback import Feedback
from emafusion.store.feedback.sqlite_feedback import SqliteFeedback
from emafusion.store.filter import Filter
from emafusion.store.log import OutcomeLog
from emafusion.store.read import LogReader
from emafusion.store.texts import Prompts


def fill(path: Path, count: int, *, prompts: Prompts = "full") -> Path:
    """A log of so many answers."""

    async def write() -> None:
        log = OutcomeLog.open(path, prompts=prompts)
        for number in range(count):
            await log.append(outcome(f"em-{number}"))
        await log.close()

    asyncio.run(write())
    return path


def keep_in(path: Path, feedback: Feedback) -> None:
    """Keep feedback in the log."""

    async def add() -> None:
        store = SqliteFeedback(path)
        await store.add(feedback)
        await store.close()

    asyncio.run(add())


class Clock:
    """A clock that stands until it is set."""

    now = 1_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with three answers that have been drawn."""
    path = fill(tmp_path / "log.sqlite", 3)
    with LogReader(path) as reader:
        made = Desk(
            reader=reader,
            keep=lambda feedback: keep_in(path, feedback),
            among=Filter(lacks="label"),
            clock=Clock(),
        )
        made.draw()
        yield made


def asked(desk: Desk, who: str) -> str:
    """Whose answer lies before a person."""
    question = desk.question(who)
    return "" if question is None else question.decision_id


def said(desk: Desk, decision_id: str) -> list[float]:
    """Everything that was said of an answer."""
    return [each.score for each in desk.reader.opinions(decision_id)]


def test_two_people_are_asked_about_different_answers(desk: Desk) -> None:
    """And each about the same one until they have said something of it."""
    ann, ben = asked(desk, "ann"), asked(desk, "ben")
    assert ann != ben
    assert (asked(desk, "ann"), asked(desk, "ben")) == (ann, ben)
    desk.say("ann", ann, 1.0)
    desk.say("ben", ben, 0.0)
    assert asked(desk, "ann") not in {ann, ben, ""}
    assert (said(desk, ann), said(desk, ben)) == ([1.0], [0.0])


def test_what_was_said_elsewhere_is_not_asked_again(desk: Desk) -> None:
    """A label that came by another way meanwhile counts as well."""
    feedback = Feedback(decision_id="em-1", created_at=1.0, source="label", score=1.0)
    desk.keep(feedback)
    seen = set[str]()
    while name := asked(desk, "ann"):
        seen.add(name)
        desk.skip("ann", name)
    assert seen == {"em-0", "em-2"}


def test_who_leaves_keeps_nothing_from_others(desk: Desk) -> None:
    """What somebody left comes to the next one in time, or as soon as it is taken over."""
    gone = asked(desk, "gone")
    for _ in range(2):
        desk.say("ann", asked(desk, "ann"), 1.0)
    assert asked(desk, "ann") == ""
    assert desk.count("ann").elsewhere == 1
    desk.take_over("ann")
    assert asked(desk, "ann") == gone
    desk.say("gone", gone, 0.0)
    assert said(desk, gone) == []
    clock = desk.clock
    assert isinstance(clock, Clock)
    clock.now += LEASE_S
    assert asked(desk, "ben") == gone


def test_one_can_go_back_and_say_something_else(desk: Desk) -> None:
    """The newest counts; going back and skipping leaves it as it was."""
    name = asked(desk, "ann")
    desk.say("ann", name, 1.0)
    desk.back("ann")
    assert asked(desk, "ann") == name
    desk.skip("ann", name)
    desk.back("ann")
    desk.say("ann", name, 0.25)
    assert said(desk, name) == [1.0, 0.25]
    assert desk.kept[name] == 0.25
    assert (desk.count("ann").labelled, desk.count("ann").skipped) == (1, 0)


def test_saying_it_twice_is_once(desk: Desk) -> None:
    """A button that was pressed twice, or an old page, changes nothing."""
    name = asked(desk, "ann")
    desk.say("ann", name, 1.0)
    desk.say("ann", name, 0.0)
    assert said(desk, name) == [1.0]
    assert "dealt with" in desk.seat("ann").told


def test_another_draw_has_what_is_left(desk: Desk) -> None:
    """Skipped answers may come again; labelled ones do not."""
    first = asked(desk, "ann")
    desk.skip("ann", first)
    for _ in range(2):
        desk.say("ann", asked(desk, "ann"), 1.0)
    assert [each.decision_id for each in desk.draw()] == [first]
    assert asked(desk, "ann") == first


def test_an_audit_asks_also_about_what_has_a_label(tmp_path: Path) -> None:
    """Those that were labelled for their doubt would else be missing, and the rest look better."""
    path = fill(tmp_path / "log.sqlite", 2)
    for source in ("label", "client"):
        keep_in(path, Feedback(decision_id="em-0", created_at=1.0, source=source, score=0.0))
    with LogReader(path) as reader:
        rows = {row.decision_id for row in reader.rows(Filter(lacks="label"))}
        assert rows == {"em-1"}
        keep_in(path, Feedback(decision_id="em-1", created_at=1.0, source="audit", score=0.0))
        assert {row.decision_id for row in reader.rows(Filter(lacks="audit"))} == {"em-0"}
        assert not list(reader.rows(Filter(lacks="label")))


def test_a_log_without_texts_says_so(tmp_path: Path) -> None:
    """Digests cannot be judged."""
    path = fill(tmp_path / "log.sqlite", 2, prompts="hash")
    with LogReader(path) as reader:
        desk = Desk(reader=reader, keep=print, among=Filter(lacks="label"))
        with pytest.raises(BadInput, match=r"set log\.prompts: full"):
            desk.draw()


def test_what_is_no_answer_is_not_asked_about(tmp_path: Path) -> None:
    """Failures, and texts that were made vectors."""

    async def write() -> None:
        log = OutcomeLog.open(tmp_path / "log.sqlite")
        vectors = msgspec.structs.replace(outcome("em-0").answer, route="embedding")
        await log.append(outcome("em-0", given=vectors))
        await log.append(outcome("em-1"))
        await log.close()

    asyncio.run(write())
    with LogReader(tmp_path / "log.sqlite") as reader:
        desk = Desk(reader=reader, keep=print, among=Filter(lacks="label"))
        assert [each.decision_id for each in desk.draw()] == ["em-1"]
