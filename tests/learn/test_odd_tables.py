"""Tables that are small, empty of information or full of holes: a sound router or a clear line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emafusion.domain.errors import BadInput
from emafusion.domain.model import Candidate, Model
from emafusion.encode.classify import ClassifierState
from emafusion.encode.encoder import HashEncoder
from emafusion.estimate.estimator import HybridEstimator
from emafusion.estimate.state import RouterState
from emafusion.learn.classing import Kinds
from emafusion.learn.fit import encode_prompts, fit_router
from emafusion.learn.outcomes import OutcomeTable
from emafusion.learn.plan import Plan

ENCODER = HashEncoder(ClassifierState.blank())


def table(n: int, m: int, *, seed: int = 0) -> OutcomeTable:
    """Two kinds of queries, scores by lot."""
    rng = np.random.default_rng(seed)
    kinds = ("add the numbers {} and {}", "translate word {} of page {}")
    shape = (n, m)
    return OutcomeTable(
        prompts=tuple(kinds[i % 2].format(*rng.integers(1, 99, 2)) for i in range(n)),
        datasets=tuple(("sums", "words")[i % 2] for i in range(n)),
        models=tuple(f"model-{j}" for j in range(m)),
        score=rng.integers(0, 2, shape).astype(np.float64),
        prompt_tokens=rng.integers(5, 90, shape).astype(np.float64),
        completion_tokens=rng.integers(1, 900, shape).astype(np.float64),
        cost_usd=rng.uniform(1e-5, 1e-3, shape),
        cpu_s=np.full(shape, np.nan),
    )


def assert_sound(outcomes: OutcomeTable, *, plan: Plan | None = None) -> RouterState:
    """Fit, and check that held-out and served predictions are numbers in range."""
    features = encode_prompts(ENCODER, outcomes.prompts)
    fitted = fit_router(outcomes, features, plan or Plan())
    scored = np.isfinite(outcomes.score).any(axis=1)
    assert fitted.quality.shape == outcomes.score.shape
    assert np.all((fitted.quality[scored] > 0) & (fitted.quality[scored] < 1))
    assert np.isnan(fitted.quality[~scored]).all()
    assert ((fitted.folds >= 0) == scored).all()
    pool = tuple(
        Candidate(name=n, model=Model(name=n, provider="p"), deployment="d", remote_name=n)
        for n in outcomes.models
    )
    state = RouterState.from_arrays(fitted.state.to_arrays())
    estimator = HybridEstimator(state, lambda _usage, _price: None, recorded_costs=True)
    for each in estimator.estimate_many(features[:20], pool):
        assert np.all((each.quality >= 0) & (each.quality < 1))
        assert np.all(each.quality_sd > 0)
        assert 0 <= each.familiarity <= 1
    return state


@pytest.mark.parametrize(("n", "m"), [(2, 1), (2, 3), (9, 1), (40, 5), (350, 2)])
def test_small_tables(n: int, m: int) -> None:
    """From two queries and one model on."""
    assert_sound(table(n, m))


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_equal_scores(score: float) -> None:
    """Where nobody differs nobody is preferred by much."""
    plain = table(60, 3)
    state = assert_sound(replace(plain, score=np.full((60, 3), score)))
    assert np.ptp(state.ability) < 1e-6


def test_missing_costs_and_tokens() -> None:
    """Without costs none is expected; without tokens costs themselves are learned."""
    plain = table(80, 3)
    none = np.full((80, 3), np.nan)
    assert np.isnan(assert_sound(replace(plain, cost_usd=none)).costs).all()
    bare = assert_sound(replace(plain, completion_tokens=none, prompt_tokens=none))
    assert np.isfinite(bare.costs).all()


def test_holes() -> None:
    """Most cells empty, some rows without any score, one model without any."""
    plain = table(200, 4)
    score = np.where(np.random.default_rng(1).random((200, 4)) < 0.7, np.nan, plain.score)
    score[:, 3] = np.nan
    assert_sound(replace(plain, score=score))


def test_repeated_rows_stay_in_one_fold() -> None:
    """A query that stands twice in the table is never predicted from its own copy."""
    plain = table(60, 2)
    doubled = replace(plain, prompts=plain.prompts[:30] * 2)
    fitted = fit_router(doubled, encode_prompts(ENCODER, doubled.prompts))
    assert np.array_equal(fitted.folds[:30], fitted.folds[30:])


@pytest.mark.parametrize("prompt", ["", "数学の問題" * 50, "שלום", "\x00\ud800", "x" * 10_000_000])
def test_any_text(prompt: str) -> None:
    """Empty, of any script, broken, ten megabytes."""
    plain = table(30, 2)
    assert_sound(replace(plain, prompts=(prompt, *plain.prompts[1:])))


@pytest.mark.parametrize("classes", ["dataset", "clusters", "axes"])
def test_kinds_of_classes(classes: Kinds) -> None:
    """Each kind of classes gives a router; data sets are known by name."""
    state = assert_sound(table(150, 3), plan=Plan(classes=classes))
    assert ("sums" in state.classes.names) == (classes != "clusters")


def test_one_scored_query_is_too_few() -> None:
    """The line says how many there are."""
    plain = table(1, 2)
    with pytest.raises(BadInput, match="needs at least 2 queries with a score, has 1"):
        fit_router(plain, encode_prompts(ENCODER, plain.prompts))
