"""Ways to learn what models differ in: each finds what words tell, none invents anything."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate, Model
from emafusion.encode.classify import ClassifierState
from emafusion.encode.encoder import HashEncoder
from emafusion.estimate.estimator import HybridEstimator
from emafusion.estimate.state import RouterState
from emafusion.estimate.trees import evaluate
from emafusion.learn.boosting import fit_trees
from emafusion.learn.choosing import choose
from emafusion.learn.fit import Fitted, encode_prompts, fit_router
from emafusion.learn.outcomes import OutcomeTable
from emafusion.learn.plan import LEARNED, LearnedName, Plan
from emafusion.learn.ways import WAYS, WayName, way_of

ENCODER = HashEncoder(ClassifierState.blank())
TOPICS = (
    ("sum", "add", "total", "number"), ("treaty", "king", "war", "empire"),
    ("cell", "enzyme", "gene", "protein"), ("verb", "poem", "rhyme", "stanza"),
)  # fmt: skip


def table_of(n: int = 320) -> OutcomeTable:
    """Two models of equal ability: one is good at two topics, the other at the other two."""
    rng = np.random.default_rng(1)
    topic = rng.integers(4, size=n).astype(np.int64)
    places: list[int] = topic.tolist()
    words = [rng.permutation(list(TOPICS[t]))[:3].tolist() for t in places]
    prompts = tuple(f"{' '.join(own)} item {i}" for i, own in enumerate(words))
    chance = np.where((topic < 2)[:, None], (0.9, 0.3), (0.3, 0.9))
    nothing = np.full((n, 2), np.nan)
    return OutcomeTable(
        prompts=prompts, datasets=("",) * n, models=("left", "right"),
        score=(rng.random((n, 2)) < chance).astype(np.float64), prompt_tokens=nothing,
        completion_tokens=nothing, cost_usd=nothing, cpu_s=nothing,
    )  # fmt: skip


@cache
def fitted(learned: LearnedName) -> Fitted:
    """A router on that table whose taxonomy says nothing, so that the learned view must."""
    table = table_of()
    return fit_router(table, encode_prompts(ENCODER, table.prompts), Plan(learned=learned))


def gap(state: RouterState, prompt: str) -> float:
    """By how much the left model is expected to be better, by the learned view alone."""
    pool = tuple(
        Candidate(name=name, model=Model(name=name, provider="p"), deployment="d", remote_name=name)
        for name in ("left", "right")
    )
    estimator = HybridEstimator(state, lambda _usage, _price: None, mode="learned")
    quality = estimator.estimate_many(encode_prompts(ENCODER, (prompt,)), pool)[0].quality
    return float(quality[0] - quality[1])


@pytest.mark.parametrize("learned", LEARNED)
def test_every_way_tells_models_apart_by_the_words_of_a_query(learned: LearnedName) -> None:
    """Whatever learns the view, sums go to the left model and poems to the right one."""
    found = fitted(learned)
    assert found.chosen.name in (*WAYS, "boosted")
    assert gap(found.state, "add total number item 7") > 0.05
    assert gap(found.state, "poem stanza verb item 7") < -0.05


@pytest.mark.parametrize("learned", ["irt", "boosted"])
def test_a_state_is_the_same_after_it_was_written_and_read(learned: LearnedName) -> None:
    """Trees and logits survive an artifact, but for the rounding of words to 8 bits."""
    state = fitted(learned).state
    again = RouterState.from_arrays(state.to_arrays())
    for prompt in ("add the number", "a king at war"):
        assert gap(again, prompt) == pytest.approx(gap(state, prompt), abs=0.03)


@pytest.mark.parametrize("name", WAYS)
def test_nothing_to_tell_is_told_as_nothing(name: WayName) -> None:
    """Where no score is left over, nor any known, no way finds a difference."""
    unknown = np.full((30, 3), np.nan)
    for residual in (np.zeros((30, 3)), unknown):
        way = way_of(name, residual, base=np.full((30, 3), 0.5))
        assert np.abs(np.nan_to_num(way.columns) @ way.loadings.T).max() < 1e-6


def test_trees_learn_a_rule_and_leave_noise_alone() -> None:
    """One input decides who is better; the trees ask about it, and say little of what is chance."""
    rng = np.random.default_rng(0)
    inputs = rng.random((600, 5))
    rule: Floats = np.where(inputs[:, [2]] > 0.5, (0.3, -0.3), (-0.3, 0.3))
    trees = fit_trees(inputs, rule)
    said = evaluate(trees, inputs) @ trees.loadings.T
    assert np.abs(said - rule).mean() < 0.1
    noise = rng.normal(0, 0.3, (600, 2))
    of_noise = fit_trees(inputs, noise)
    assert (evaluate(of_noise, inputs) @ of_noise.loadings.T).std() < 0.15


def test_another_way_is_chosen_only_where_it_is_surely_better() -> None:
    """A lead that chance explains keeps the first one."""
    rng = np.random.default_rng(0)
    rows = rng.random(200)
    lucky = rows + rng.normal(0.001, 0.5, 200)
    assert choose({"linear": rows, "irt": lucky}, rows).name == "linear"
    assert choose({"linear": rows, "irt": rows + 0.01}, rows).name == "irt"
