"""Learning on generated tables whose truth is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from emafusion.domain.errors import BadInput
from emafusion.domain.model import Candidate, Model
from emafusion.encode.classify import ClassifierState
from emafusion.encode.encoder import HashEncoder
from emafusion.encode.taxonomy import TASKS
from emafusion.estimate.estimator import HybridEstimator
from emafusion.estimate.reference import reference_arrays, reference_features
from emafusion.estimate.state import RouterState
from emafusion.learn.classifier import accuracies, fit_classifier
from emafusion.learn.examples import as_arrays, from_seeds
from emafusion.learn.fit import encode_prompts, fit_router
from emafusion.learn.groups import folds_of, prompt_groups
from emafusion.learn.outcomes import from_frame, join
from emafusion.learn.seed_prompts import seed_prompts

TOPICS = {"sums": "What is {} plus {}?", "capitals": "Name the capital of country {} near {}."}


def table(n: int = 240, *, seed: int = 0) -> pl.DataFrame:
    """Sums, which `adder` gets right, and capitals, which `atlas` gets right, nine times of ten."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        dataset = ("sums", "capitals")[i % 2]
        prompt = TOPICS[dataset].format(*rng.integers(1, 10_000, 2))
        for model, own in (("adder", "sums"), ("atlas", "capitals")):
            right = rng.random() < (0.9 if dataset == own else 0.2)
            rows.append(
                {
                    "query_id": f"q{i}",
                    "prompt": prompt,
                    "dataset": dataset,
                    "model": model,
                    "score": float(right),
                    "prompt_tokens": 12,
                    "completion_tokens": 5 if model == "adder" else 50,
                    "cost_usd": 0.001,
                }
            )
    return pl.DataFrame(rows)


ENCODER = HashEncoder(ClassifierState.blank())
POOL = tuple(
    Candidate(name=n, model=Model(name=n, provider="p"), deployment="d", remote_name=n)
    for n in ("adder", "atlas")
)


@pytest.fixture(scope="module")
def state() -> RouterState:
    """A router fitted on the generated table."""
    outcomes = from_frame(table())
    return fit_router(outcomes, encode_prompts(ENCODER, outcomes.prompts)).state


def best(state: RouterState, prompts: list[str]) -> list[str]:
    """Who is predicted to be best on each prompt."""
    estimates = HybridEstimator(state, lambda _usage, _price: None).estimate_many(
        encode_prompts(ENCODER, tuple(prompts)), POOL
    )
    return [e.candidates[int(e.quality.argmax())] for e in estimates]


def test_each_kind_of_query_goes_to_who_is_good_at_it(state: RouterState) -> None:
    """On new queries of both kinds the fitted router tells the specialists apart."""
    sums = [f"What is {i} plus {i + 7}?" for i in range(2000, 2040)]
    capitals = [f"Name the capital of country {i} near {i + 3}." for i in range(2000, 2040)]
    chosen = best(state, [*sums, *capitals])
    right = [*["adder"] * 40, *["atlas"] * 40]
    assert sum(a == b for a, b in zip(chosen, right, strict=True)) >= 72


def test_state_survives_an_artifact(state: RouterState) -> None:
    """Written and read again, the router predicts the same (up to half precision)."""
    again = RouterState.from_arrays(state.to_arrays())
    prompts = [f"What is {i} plus 4?" for i in range(20)]
    assert best(again, prompts) == best(state, prompts)
    assert again.models == state.models


def test_fitting_twice_gives_the_same() -> None:
    """The same table gives the same numbers."""
    outcomes = from_frame(table(60))
    features = encode_prompts(ENCODER, outcomes.prompts)
    one, two = (fit_router(outcomes, features).state for _ in range(2))
    assert np.array_equal(one.ability, two.ability)
    assert np.array_equal(one.table.leaves, two.table.leaves)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (table(4).drop("score"), "columns score are missing"),
        (table(4).head(0), "has no rows"),
        (table(4).with_columns(score=pl.lit(3.0)), "is not between 0 and 1"),
    ],
)
def test_table_that_cannot_be_learned_from_is_refused(frame: pl.DataFrame, told: str) -> None:
    """One line says what is wrong with the table."""
    with pytest.raises(BadInput, match=told):
        from_frame(frame)


def test_table_without_scores_is_refused() -> None:
    """Nothing scored is nothing to learn from."""
    outcomes = from_frame(table(6).with_columns(score=pl.lit(None, pl.Float64)))
    with pytest.raises(BadInput, match="needs at least 2 queries with a score"):
        fit_router(outcomes, encode_prompts(ENCODER, outcomes.prompts))


def test_tables_of_different_models_are_joined() -> None:
    """What a model did not answer is unknown, not wrong."""
    one = from_frame(table(10))
    other = from_frame(table(6, seed=1).filter(pl.col("model") == "atlas"))
    whole = join([one, other])
    assert whole.score.shape == (16, 2)
    assert np.isnan(whole.score[10:, whole.models.index("adder")]).all()


def test_classifier_learns_generated_kinds() -> None:
    """Held out by prompt, most generated prompts get their task and format."""
    examples = from_seeds(seed_prompts(500, seed=3))
    groups = prompt_groups([example.query.prompt for example in examples])
    trained = fit_classifier(as_arrays(examples), folds_of(groups, 4, seed=0))
    classes = np.array([[e.task, e.depth, e.domain, e.format] for e in examples])
    found = accuracies(trained, classes, np.ones(len(examples), dtype=bool))
    assert found["task"] > 0.6 > 1 / len(TASKS)
    assert found["format"] > 0.6


def test_seed_prompts_are_the_same_every_time() -> None:
    """The same seed makes the same prompts, another one others."""
    texts = [[s.query.prompt for s in seed_prompts(30, seed=n)] for n in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_reference_queries_survive_an_artifact() -> None:
    """Features without their words come back as they were."""
    features = encode_prompts(ENCODER, ("What is 2 plus 2?", "Write a poem."))
    again = reference_features(reference_arrays(features))
    assert [f.indices.tolist() for f in again] == [f.indices.tolist() for f in features]
    assert np.allclose(again[1].labels.task, features[1].labels.task, atol=1e-3)
