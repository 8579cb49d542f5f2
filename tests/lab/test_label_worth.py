"""What labels bring: told as it stands, with how many more would bring what."""

from __future__ import annotations

import pytest

from emafusion.build.promising import Promise
from emafusion.lab.label_worth import audit_step, looked_at, steps
from emafusion.store.feedback.feedback import Feedback, Source

PROMISE = Promise(quality_weight=0.3, least=0.8, delta=0.05, since=0.0, artifact="a", told="80 %")


def said(scores: list[float], source: Source = "label") -> list[Feedback]:
    """Labels of as many answers."""
    return [
        Feedback(decision_id=f"em-{i}", created_at=float(i), source=source, score=score)
        for i, score in enumerate(scores)
    ]


def named(scores: list[float]) -> list[str]:
    """Names of what is told of so many labels."""
    return [step.name for step in steps(said(scores))]


@pytest.mark.parametrize(
    ("scores", "calibrated", "promise"),
    [
        ([], "not yet", "not yet"),
        ([1.0] * 30, "not yet", "not yet"),
        ([1.0, 0.0] * 15, "a line", "not yet"),
        ([1.0, 0.0, 1.0, 1.0] * 60, "a curve", "emafusion certify may give one"),
    ],
)
def test_each_step_is_reached_in_its_time(
    scores: list[float], calibrated: str, promise: str
) -> None:
    """A line from 20 labels of both kinds on, a curve from 200, a promise from what it takes."""
    assert named(scores) == [
        f"Labels so far: {len(scores)}",
        f"Judges calibrated: {calibrated}",
        f"A promise: {promise}",
    ]


def test_a_promise_takes_more_where_answers_are_worse() -> None:
    """As many as certify would ask for: 116 where all are right."""
    need = {right: steps(said([1.0] * right + [0.0] * (40 - right)))[-1].need for right in (40, 30)}
    assert need[40] == 116
    assert need[30] is not None
    assert need[30] > 116


def test_of_each_answer_the_newest_label_counts() -> None:
    """What clients say is no label."""
    client = said([0.0] * 3, "client")
    again = Feedback(decision_id="em-0", created_at=9.0, source="label", score=0.5)
    assert [each.score for each in looked_at([*client, *said([1.0, 0.0]), again])] == [0.5, 0.0]


def test_the_bet_against_a_promise_is_told() -> None:
    """Nothing yet, how it stands, and that it was won."""
    assert "No answer has been audited" in audit_step(PROMISE, []).told
    held = audit_step(PROMISE, said([1.0] * 20, "audit")).told
    assert "20 audited, mean score 1.00; 0.80 was promised" in held
    assert "at 20 the promise is broken" in held
    assert "certify again" in audit_step(PROMISE, said([0.0] * 40, "audit")).told
    assert steps([], PROMISE, [])[0].name == "Under audit: 80 %"
