"""Few labels that were drawn with known chances, and the confidence of every answer."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.features import Floats
from emafusion.replay.guarantee.logged import FEWEST, quality_of
from emafusion.replay.guarantee.powered import drawn_mean
from emafusion.store.feedback.choose import chances, draw
from emafusion.store.feedback.feedback import Feedback
from emafusion.testing import check_drawn_mean

rows = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 1)), min_size=2, max_size=7
)


@given(rows, st.integers(0, 5))
def test_over_all_draws_it_is_the_true_mean(
    answers: list[tuple[float, float, float]], seed: int
) -> None:
    """Exactly, whatever the answers are, the judges say, and however unevenly it was drawn."""
    scores, verdicts, chance = (np.array(each) for each in zip(*answers, strict=True))

    def mean_of(labels: Floats, said: Floats, drawn: Floats) -> float:
        return drawn_mean(labels, said, drawn, seed=seed).mean

    check_drawn_mean(mean_of, scores=scores, verdicts=verdicts, chances=chance)


def test_the_contract_finds_a_mean_of_labels_alone() -> None:
    """Which is not the true one where unsure answers are drawn more often."""

    def mean_of(labels: Floats, _verdicts: Floats, _chances: Floats) -> float:
        return float(np.nanmean(labels)) if np.isfinite(labels).any() else 0.0

    with pytest.raises(AssertionError, match="not the true mean"):
        check_drawn_mean(
            mean_of,
            scores=np.array([1.0, 0.0]),
            verdicts=np.zeros(2),
            chances=np.array([0.9, 0.2]),
        )


Log = tuple[list[tuple[str, float | None]], list[Feedback]]


def logged(rng: np.random.Generator, n: int = 2_000, labels: int = 100) -> Log:
    """A log of answers, right as often as their confidence is high; unsure ones drawn more."""
    sure = rng.beta(3, 1.5, n).tolist()
    right = rng.random(n) < 0.15 + 0.8 * np.array(sure)  # the level is off
    each = chances(sure, labels)
    drawn = draw(each, random.Random(int(rng.integers(1 << 30))))
    said = [label(f"em-{i}", float(right[i]), each[i]) for i in drawn]
    return [(f"em-{i}", sure[i]) for i in range(n)], said


def label(name: str, score: float, propensity: float | None) -> Feedback:
    """A label; without a propensity nobody drew it."""
    return Feedback(
        decision_id=name, created_at=1.0, source="label", score=score, propensity=propensity
    )


def test_the_quality_of_a_log_is_told_honestly() -> None:
    """The interval holds the true mean about as often as it says, though the level is off."""
    rng = np.random.default_rng(7)
    true = 0.15 + 0.8 * 2 / 3
    found = [quality_of(*logged(rng)) for _ in range(100)]
    held = [q.low <= true <= q.high for q in found if q.low is not None and q.high is not None]
    assert len(held) == 100
    assert np.mean(held) >= 0.95 - 3 * (0.95 * 0.05 / 100) ** 0.5
    assert np.mean([q.mean for q in found if q.mean is not None]) == pytest.approx(true, abs=0.02)


def test_answers_that_came_after_the_draw_are_no_loss() -> None:
    """Whoever was drawn stands for them too; labels that nobody drew do not count."""
    rng = np.random.default_rng(8)
    answers, said = logged(rng, labels=300)
    later = [(f"new-{i}", float(each)) for i, each in enumerate(rng.beta(3, 1.5, 2_000))]
    own = [label(name, 0.0, None) for name, _ in later[:100]]
    first, both = quality_of(answers, said), quality_of([*answers, *later], [*said, *own])
    assert first.mean is not None
    assert both.mean == pytest.approx(first.mean, abs=0.03)
    assert both.labels == first.labels


def test_few_labels_tell_no_mean() -> None:
    """Below twenty the count is told, and nothing else."""
    answers = [(f"em-{i}", 0.5) for i in range(FEWEST - 1)]
    few = quality_of(answers, [label(name, 1.0, 1.0) for name, _ in answers])
    assert (few.labels, few.mean) == (FEWEST - 1, None)
    assert quality_of([], []).answers == 0
