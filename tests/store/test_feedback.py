"""What people say of answers: kept, read back, drawn with known chances."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.outcomes import outcome

from emafusion.store.feedback.choose import chances, draw
from emafusion.store.feedback.feedback import Feedback, Source, settled
from emafusion.store.feedback.sqlite_feedback import SqliteFeedback
from emafusion.store.log import OutcomeLog
from emafusion.store.read import LogReader


def said(decision_id: str, score: float, source: Source = "client", at: float = 2.0) -> Feedback:
    """An opinion."""
    return Feedback(decision_id=decision_id, created_at=at, source=source, score=score)


async def test_a_score_reaches_the_table_that_learning_reads(tmp_path: Path) -> None:
    """On the row of the answer that was given, and on no other."""
    log, kept = OutcomeLog.open(tmp_path / "log.sqlite"), outcome()
    await log.append(kept)
    feedback = SqliteFeedback(log.path)
    assert await feedback.owner(kept.decision_id) == (True, kept.key_id)
    assert await feedback.owner("em-none") == (False, None)
    await feedback.add(said(kept.decision_id, 0.25))
    await feedback.close()
    await log.close()
    with LogReader(log.path) as reader:
        rows = list(reader.to_outcome_rows())
        opinions = reader.opinions(kept.decision_id)
    assert [row.score for row in rows if row.model == kept.answer.candidate] == [0.25]
    assert opinions == [said(kept.decision_id, 0.25)]


async def test_words_are_not_kept_where_texts_are_not(tmp_path: Path) -> None:
    """A log of digests holds no words of feedback either."""
    log, kept = OutcomeLog.open(tmp_path / "log.sqlite", prompts="hash"), outcome()
    await log.append(kept)
    feedback = SqliteFeedback(log.path, with_texts=False)
    told = Feedback(
        decision_id=kept.decision_id,
        created_at=1.0,
        source="client",
        score=0.0,
        corrected="my secret plan",
        comment="as I told you",
    )
    await feedback.add(told)
    await feedback.close()
    await log.close()
    assert b"secret plan" not in log.path.read_bytes()


async def test_audits_come_in_the_order_they_were_made(tmp_path: Path) -> None:
    """Of answers after a time that the setting chose; who looks twice has changed their mind."""
    log, kept = OutcomeLog.open(tmp_path / "log.sqlite"), outcome()
    direct = msgspec.structs.replace(kept.answer, route="direct")
    for name, whose in (("a", None), ("b", None), ("c", None), ("named", direct)):
        await log.append(outcome(name, given=whose, created_at=kept.created_at))
    feedback = SqliteFeedback(log.path)
    for name, score in (("a", 1.0), ("b", 1.0), ("c", 1.0), ("b", 0.0), ("named", 0.0)):
        await feedback.add(said(name, score, "audit"))
    await feedback.add(said("c", 0.0, "label"))
    before, after = kept.created_at - 1, kept.created_at + 1
    weight = kept.objective.quality_weight
    found = [(each.decision_id, each.score) for each in await feedback.audits(before, weight)]
    assert found == [("a", 1.0), ("c", 1.0), ("b", 0.0)]
    assert await feedback.audits(after, weight) == []
    assert await feedback.audits(before, weight + 0.1) == []
    await feedback.close()
    await log.close()


def test_who_looked_is_believed_before_who_happened_to_say() -> None:
    """And of those who looked the newest."""
    opinions = [said("a", 0.0), said("a", 1.0, "label", at=1.0), said("a", 0.5, "audit", at=3.0)]
    assert settled(opinions) == 0.5


confidence = st.one_of(st.none(), st.floats(0, 1))


@given(st.lists(confidence, min_size=1, max_size=60), st.integers(1, 80))
def test_chances_add_up_and_leave_nothing_out(known: list[float | None], wanted: int) -> None:
    """Each is above 0 and at most 1, and together they are the number wanted."""
    each = chances(known, wanted)
    assert all(0.0 < chance <= 1.0 for chance in each)
    assert sum(each) == pytest.approx(min(wanted, len(known)))
    drawn = draw(each, random.Random(wanted))
    assert len(set(drawn)) == len(drawn)
    assert abs(len(drawn) - min(wanted, len(known))) <= 1  # a sum of fractions may fall just short


def test_labels_weighed_by_their_chances_give_the_mean_without_bias() -> None:
    """Although the doubtful are drawn more often, and are more often wrong."""
    source = random.Random(0)
    confidences = [source.random() for _ in range(400)]
    right = [float(source.random() < c) for c in confidences]
    each, means = chances(confidences, 60), list[float]()
    for _ in range(400):
        chosen = draw(each, source)
        means.append(sum(right[i] / each[i] for i in chosen) / len(right))
    truth = sum(right) / len(right)
    spread = (sum((m - truth) ** 2 for m in means) / len(means)) ** 0.5
    assert sum(means) / len(means) == pytest.approx(truth, abs=3 * spread / len(means) ** 0.5)
