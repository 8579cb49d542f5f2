"""What the other answers to a query tell of one, learned from labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.judge.heads import ANY, Heads
from emafusion.learn.panel.beside import strongest_other, with_beside
from emafusion.learn.panel.figures import auc
from emafusion.learn.panel.heads import Graded, fit_heads

NAMES = ("llm:a", "llm:b", "llm:c")
QUERIES, EACH = 300, 4


def made(*, is_one_right: bool, seed: int = 0) -> tuple[Graded, Ints]:
    """Grades of 0 to 10 of four answers a query, one of which is right, or any number."""
    rng = np.random.default_rng(seed)
    query = np.repeat(np.arange(QUERIES), EACH)
    right = np.zeros(QUERIES * EACH)
    right[np.arange(QUERIES) * EACH + rng.integers(0, EACH, QUERIES)] = 1.0
    if not is_one_right:
        right = rng.permutation(right)
    lenient = np.repeat(rng.normal(size=QUERIES), EACH) if is_one_right else 0.0
    columns = [s * right + lenient + rng.normal(size=len(right)) for s in (1.5, 1.0, 0.5)]
    value = np.stack([np.clip(5 + 1.5 * c, 0, 10).round() / 10 for c in columns], axis=1)
    graded = Graded(
        judges=NAMES, value=value, right=right, base=np.zeros(len(right)),
        log_length=np.full(len(right), np.nan), tasks=[(f"dataset/{i % 2}",) for i in query],
    )  # fmt: skip
    return graded, np.asarray(query, np.int64)


def measured(graded: Graded, query: Ints) -> Heads:
    """Judges by the labels that there are."""
    heads = fit_heads(graded.where(np.isfinite(graded.right)))
    assert heads is not None
    return with_beside(heads, graded, query)


def ranks(heads: Heads, graded: Graded, query: Ints) -> tuple[float, float]:
    """AUC of answers by themselves, and beside the others."""
    said = [dict(zip(NAMES, row, strict=True)) for row in graded.value.tolist()]
    own: Floats = np.array([heads.evidence(each, ANY, log_length=None) for each in said])
    rival, _ = strongest_other(own, query)
    beside = heads.beside_of()
    both = [
        beside.odds(o, [r] * (EACH - 1)) for o, r in zip(own.tolist(), rival.tolist(), strict=True)
    ]
    return auc(graded.right, own), auc(graded.right, np.array(both))


def test_where_one_answer_is_right_the_others_tell_much() -> None:
    """Judges are lenient on a query as a whole, and a better rival makes an answer wrong."""
    heads = measured(*made(is_one_right=True))
    alone, beside = ranks(heads, *made(is_one_right=True, seed=1))
    assert beside > alone + 0.05
    assert heads.beside_of("dataset/0").rival > 0.5


def test_where_any_number_is_right_they_tell_nothing() -> None:
    """And little is lost by having looked."""
    heads = measured(*made(is_one_right=False))
    alone, beside = ranks(heads, *made(is_one_right=False, seed=1))
    assert beside > alone - 0.005
    assert heads.beside_of("dataset/0").rival < 0.3


def test_a_task_of_another_kind_is_known_by_few_labels() -> None:
    """Two hundred labels are enough not to be misled by the other tasks."""
    one, query = made(is_one_right=True)
    any_, _ = made(is_one_right=False, seed=2)
    labelled = np.random.default_rng(0).permutation(len(query))[:200]
    right = np.full(len(query), np.nan)
    right[labelled] = any_.right[labelled]
    both = Graded(
        judges=NAMES,
        value=np.concatenate([one.value, any_.value]),
        right=np.concatenate([one.right, right]),
        base=np.concatenate([one.base, any_.base]),
        log_length=np.concatenate([one.log_length, any_.log_length]),
        tasks=[("dataset/one",)] * len(query) + [("dataset/any",)] * len(query),
    )
    heads = measured(both, np.concatenate([query, query + QUERIES]))
    assert heads.beside_of("dataset/one").rival > 0.5
    assert heads.beside_of("dataset/any").rival < 0.3


def test_one_answer_a_query_leaves_everything_as_it_is() -> None:
    """Nor is anything learned from labels that are all the same."""
    graded, query = made(is_one_right=True)
    heads = fit_heads(graded)
    assert heads is not None
    assert not with_beside(heads, graded, np.arange(len(query))).beside
    same = replace(graded, right=np.ones(len(query)))
    assert not with_beside(heads, same, query).beside
