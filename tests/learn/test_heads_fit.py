"""Measuring model judges: with labels, with few, with none."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats
from emafusion.judge.heads import ANY, Heads
from emafusion.learn.panel.figures import auc, ece
from emafusion.learn.panel.heads import Graded, fit_heads
from emafusion.learn.panel.unlabelled import fit_unlabelled

NAMES = ("llm:a", "llm:b", "llm:c", "llm:d")


def made(
    n: int = 1_500, *, seed: int = 0, skill: tuple[float, ...] = (1.5, 1.0, 0.5, 0.0)
) -> Graded:
    """Grades of 0 to 10 that follow the truth by each judge's skill, with an error in common."""
    rng = np.random.default_rng(seed)
    right = (rng.random(n) < 0.4).astype(np.float64)
    shared = rng.normal(size=n)
    columns = [s * right + 0.4 * shared + 0.6 * rng.normal(size=n) for s in skill]
    value = np.stack([np.clip(5 + 2 * c, 0, 10).round() / 10 for c in columns], axis=1)
    return Graded(
        judges=NAMES, value=value, right=right, base=np.zeros(n),
        log_length=np.full(n, np.nan), tasks=[("form/text", f"dataset/{i % 2}") for i in range(n)],
    )  # fmt: skip


def believed(heads: Heads, graded: Graded, task: str = ANY) -> Floats:
    """Probability of each answer by the grades alone."""
    rows = [dict(zip(graded.judges, row, strict=True)) for row in graded.value.tolist()]
    odds = [
        heads.evidence({n: v for n, v in row.items() if v == v}, task, log_length=None)  # noqa: PLR0124  # NaN is not itself
        for row in rows
    ]
    return np.asarray(1.0 / (1.0 + np.exp(-np.array(odds))))


def test_the_panel_beats_its_best_judge_and_is_calibrated() -> None:
    """On answers that it has not seen."""
    heads, test = fit_heads(made()), made(seed=1)
    assert heads is not None
    chance = believed(heads, test)
    best = max(auc(test.right, test.value[:, k]) for k in range(4))
    assert auc(test.right, chance) > best
    assert ece(test.right, chance) < 0.04


def test_a_judge_that_sees_nothing_weighs_nothing() -> None:
    """And no weight is below 0."""
    heads = fit_heads(made())
    assert heads is not None
    weights = heads.tasks[ANY][1:]
    assert min(weights) >= 0.0
    assert weights[3] < 0.3 * weights[0]


def test_two_hundred_labels_are_enough_not_to_lose_to_the_best_judge() -> None:
    """In the mean of several draws, where three of four judges are worth little."""
    lost = []
    for seed in range(5):
        heads = fit_heads(made(200, seed=seed, skill=(1.5, 0.2, 0.1, 0.1)))
        test = made(2_000, seed=100 + seed, skill=(1.5, 0.2, 0.1, 0.1))
        assert heads is not None
        chance = believed(heads, test, "form/text")
        lost.append(auc(test.right, test.value[:, 0]) - auc(test.right, chance))
    assert np.mean(lost) < 0.005


def test_gaps_are_filled_by_those_who_spoke() -> None:
    """A third of all grades missing costs little, and the fit does not break."""
    whole = made()
    holes = np.random.default_rng(2).random(whole.value.shape) < 0.3
    torn = Graded(
        judges=NAMES, value=np.where(holes, np.nan, whole.value), right=whole.right,
        base=whole.base, log_length=whole.log_length, tasks=whole.tasks,
    )  # fmt: skip
    one, other, test = fit_heads(whole), fit_heads(torn), made(seed=1)
    assert one is not None
    assert other is not None
    lost = auc(test.right, believed(one, test)) - auc(test.right, believed(other, test))
    assert abs(lost) < 0.01


def test_a_bias_for_length_is_found() -> None:
    """The judge that gives for length is known by it; the others are not accused."""
    graded = made()
    length = np.random.default_rng(3).normal(4.0, 1.0, len(graded.right))
    longer = graded.value.copy()
    longer[:, 0] = np.clip(longer[:, 0] + 0.2 * (length - 4.0), 0.0, 1.0)
    heads = fit_heads(
        Graded(
            judges=NAMES, value=longer, right=graded.right, base=graded.base,
            log_length=length, tasks=graded.tasks,
        )
    )  # fmt: skip
    assert heads is not None
    assert heads.length[0] > 0.3
    assert max(abs(each) for each in heads.length[1:]) < 0.15


def test_without_labels_judges_rank_as_well_as_their_mean_rank() -> None:
    """Whoever follows what all have in common weighs more; a constant judge is told and dropped."""
    graded = made()
    value = np.concatenate([graded.value, np.full((len(graded.right), 1), 0.5)], axis=1)
    found = fit_unlabelled((*NAMES, "llm:e"), value)
    assert found is not None
    assert found.heads.names == NAMES
    assert found.alarms[0] == "llm:e gives nearly one grade"
    ranks = np.stack([np.argsort(np.argsort(column)) for column in graded.value.T], axis=1)
    plain = auc(graded.right, ranks.mean(axis=1).astype(np.float64))
    assert auc(graded.right, believed(found.heads, graded)) > plain - 0.001


def test_too_few_or_unlike_judges_weigh_the_same() -> None:
    """Two judges cannot tell who is right, and strangers have nothing in common."""
    graded = made()
    two = fit_unlabelled(NAMES[:2], graded.value[:, :2])
    noise = np.random.default_rng(4).random((500, 4))
    four = fit_unlabelled(NAMES, noise)
    for found in (two, four):
        assert found is not None
        assert len(set(found.loadings.tolist())) == 1
        assert any("weighs the same" in alarm for alarm in found.alarms)


def test_nothing_to_learn_from_is_nothing_learned() -> None:
    """Too few labels, or one kind alone."""
    graded = made(10)
    assert fit_heads(graded) is None
    ones = made(100)
    same = Graded(
        judges=NAMES, value=ones.value, right=np.ones(100), base=ones.base,
        log_length=ones.log_length, tasks=ones.tasks,
    )  # fmt: skip
    assert fit_heads(same) is None
