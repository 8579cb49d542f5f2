"""The hybrid estimator's contract, on states drawn at random and on the stated priors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.attempt import Usage
from emafusion.domain.features import Features, Labels
from emafusion.domain.model import Candidate, Model, Price
from emafusion.estimate.arrays import BUCKETS, SMALL, TASKS
from emafusion.estimate.classes import Classes
from emafusion.estimate.cost import Lengths
from emafusion.estimate.estimator import HybridEstimator
from emafusion.estimate.familiarity import Familiarity
from emafusion.estimate.hybrid import Blend
from emafusion.estimate.linear import Heads
from emafusion.estimate.prior import PriorState
from emafusion.estimate.state import RouterState
from emafusion.estimate.table import CELLS, Table

MODELS = ("alpha", "beta", "gamma-2024-05-13")


def pricer(usage: Usage, price: Price | None) -> float | None:
    """Tokens at list price; CPU time at its price."""
    if price is None:
        return None
    if price.cpu_usd_per_hour is not None:
        return None if usage.cpu_s is None else usage.cpu_s * price.cpu_usd_per_hour / 3600
    if price.prompt_usd_per_mtok is None or price.completion_usd_per_mtok is None:
        return None
    prompt = usage.prompt_tokens * price.prompt_usd_per_mtok
    return (prompt + usage.completion_tokens * price.completion_usd_per_mtok) / 1e6


def candidate(name: str, usd: float | None = 1.0, size_b: float | None = None) -> Candidate:
    """A candidate of that model; `usd` per million tokens of either kind."""
    price = None if usd is None else Price(prompt_usd_per_mtok=usd, completion_usd_per_mtok=usd)
    model = Model(name=name, provider="p", price=price, size_b=size_b)
    return Candidate(name=f"{name}@p", model=model, deployment="p", remote_name=name)


def features(seed: int = 0, tokens: int = 100) -> Features:
    """A query drawn at random."""
    rng = np.random.default_rng(seed)
    indices = np.sort(rng.choice(BUCKETS, 30, replace=False)).astype(np.int64)
    axes = [rng.dirichlet(np.ones(n)) for n in (16, 5, 14, 8)]
    labels = Labels(task=axes[0], depth=axes[1], domain=axes[2], format=axes[3])
    return Features(
        indices=indices, weights=np.full(30, 30**-0.5), counts=rng.random(20), labels=labels,
        prompt_tokens=tokens, prompt_hash=f"{seed:032x}",
    )  # fmt: skip


def some_state(seed: int = 0) -> RouterState:
    """A state with three recorded models."""
    rng = np.random.default_rng(seed)
    n = len(MODELS)
    return RouterState(
        models=MODELS, ability=rng.normal(size=n), ability_sd=np.full(n, 0.1),
        outcomes=np.full(n, 500.0), costs=np.full((n, 3), 1e-5),
        table=Table(
            leaves=rng.normal(0, 0.1, (n, CELLS)).astype(np.float32),
            outcomes=np.full((n, TASKS), 30.0),
        ),
        heads=Heads(
            words=rng.normal(0, 0.1, (BUCKETS, 7)).astype(np.float32),
            small=rng.normal(0, 0.1, (SMALL, 7)), loadings=rng.normal(0, 0.1, (n, 2)),
        ),
        classes=Classes(
            names=("sums", "law", ""), basis=np.eye(2, 3), centre=np.full(3, 1 / 3),
            temperature=8.0, values=rng.normal(0, 0.1, (n, 3)),
            lengths=rng.uniform(0.5, 2.0, (n, 3)), outcomes=np.full((n, 3), 40.0),
        ),
        familiarity=Familiarity(curve=np.array([0.3, 1.0])),
        blend=Blend(
            familiar=np.array([0.2, 0.6, 0.9]), told=np.array([0.0, 0.8, 0.2]),
            novel=np.array([0.1, 0.0, 0.0]), slope=0.9, shift=0.1, spread=np.array([0.03, 0.08]),
        ),
        lengths=Lengths(
            lines=np.tile([0.1, 1.0, 0.5], (n, 1)), cpu=np.full((n, 3), np.nan),
            shared=np.array([0.0, 1.0, 0.8]), habits=rng.normal(0, 0.1, (n, 1)),
        ),
        prior=PriorState.stated(),
    )  # fmt: skip


POOL = (*(candidate(name) for name in MODELS), candidate("never-seen", 5.0), candidate("x", None))


@settings(max_examples=25)
@given(st.permutations(range(len(POOL))), st.integers(0, 50))
def test_order_of_candidates_does_not_matter(order: list[int], seed: int) -> None:
    """Each candidate gets the same numbers wherever it stands."""
    estimator = HybridEstimator(some_state(), pricer)
    plain = estimator.estimate(features(seed), POOL)
    mixed = estimator.estimate(features(seed), tuple(POOL[i] for i in order))
    for place, i in enumerate(order):
        assert mixed.candidates[place] == plain.candidates[i]
        assert mixed.quality[place] == pytest.approx(plain.quality[i], abs=1e-6)
        assert mixed.basis[place] == plain.basis[i]


@given(st.integers(0, 200))
def test_numbers_are_in_range(seed: int) -> None:
    """Quality is inside 0..1, its error positive, cost NaN only where the price is unknown."""
    found = HybridEstimator(some_state(), pricer).estimate(features(seed), POOL)
    assert np.all((found.quality > 0) & (found.quality < 1))
    assert np.all(found.quality_sd > 0)
    assert np.isnan(found.cost_usd).tolist() == [False, False, False, False, True]
    assert np.all(found.latency_s > 0)
    assert 0 <= found.familiarity <= 1


def test_many_are_the_same_as_one_by_one() -> None:
    """Replay sees the numbers that serving sees."""
    estimator = HybridEstimator(some_state(), pricer)
    queries = [features(seed, tokens=100 * seed + 1) for seed in range(8)]
    for one, many in zip(queries, estimator.estimate_many(queries, POOL), strict=True):
        alone = estimator.estimate(one, POOL)
        np.testing.assert_allclose(alone.quality, many.quality, atol=1e-6)
        np.testing.assert_allclose(alone.cost_usd, many.cost_usd)
        assert alone.basis == many.basis


def test_a_model_never_seen_rests_on_stated_priors_and_says_so() -> None:
    """Dearer and larger models are expected to be better, and less surely than recorded ones."""
    estimator = HybridEstimator(RouterState.stated(), pricer)
    pool = (candidate("s", 0.1, 1.0), candidate("m", 1.0, 8.0), candidate("l", 10.0, 70.0))
    found = estimator.estimate(features(), pool)
    assert list(found.quality) == sorted(found.quality)
    assert found.basis == ("prior: price, size",) * 3
    assert found.route == "prior"
    assert found.familiarity == 0.0


def test_another_version_of_a_recorded_model_borrows_its_record() -> None:
    """`gamma` of another date is expected to be near the one on record, less surely."""
    found = HybridEstimator(some_state(), pricer).estimate(
        features(), (candidate("gamma-2024-11-20"), candidate("gamma-2024-05-13"))
    )
    assert found.basis[0] == "prior: another version, gamma-2024-05-13"
    assert found.quality_sd[0] > found.quality_sd[1]


def test_nothing_known_of_a_model_is_said() -> None:
    """No price, no size, no family: still a number, and the truth about it."""
    found = HybridEstimator(RouterState.stated(), pricer).estimate(
        features(), (candidate("x", None),)
    )
    assert found.basis == ("prior: nothing known of the model",)
    assert np.isnan(found.cost_usd[0])


def test_long_prompts_are_priced_exactly() -> None:
    """Beyond where rates are linear the pricer itself is asked."""
    asked: list[int] = []

    def tiered(usage: Usage, price: Price | None) -> float | None:
        asked.append(usage.prompt_tokens)
        usd = pricer(usage, price)
        return None if usd is None else usd * (2.0 if usage.prompt_tokens > 100_000 else 1.0)

    estimator = HybridEstimator(some_state(), tiered)
    short, long = (features(1, tokens=tokens) for tokens in (20_000, 200_000))
    pool = (candidate("alpha"),)
    near = estimator.estimate(short, pool).cost_usd[0]
    far = estimator.estimate(long, pool).cost_usd[0]
    assert 200_000 in asked
    assert far > 15 * near


@pytest.mark.parametrize("mode", ["taxonomy", "learned", "paper"])
def test_modes_use_one_view_at_a_time(mode: str) -> None:
    """A hard switch takes one view whole."""
    state = some_state()
    single = HybridEstimator(state, pricer, mode=mode)  # type: ignore[arg-type]  # parametrized
    assert single.estimate(features(), POOL).route in {"taxonomy", "learned"}


def test_a_given_class_takes_the_place_of_the_guess() -> None:
    """A query that names a known class is of it, and familiar; another name changes nothing."""
    state = some_state()
    estimator = HybridEstimator(state, pricer)
    plain = features(3)
    known, unknown = (structs.replace(plain, dataset=name) for name in ("law", "never heard of"))
    guessed, told = estimator.estimate(plain, POOL), estimator.estimate(known, POOL)
    assert told.familiarity == 1.0
    assert not np.allclose(told.quality, guessed.quality)
    assert np.array_equal(estimator.estimate(unknown, POOL).quality, guessed.quality)


def test_recorded_costs_stand_in_where_there_is_no_price() -> None:
    """Only where asked for, only for recorded models, and never for a model with a price."""
    state, pool = some_state(), (candidate("alpha", None), candidate("beta"), candidate("x", None))
    unpriced = HybridEstimator(state, pricer).estimate(features(), pool).cost_usd
    recorded = HybridEstimator(state, pricer, recorded_costs=True).estimate(features(), pool)
    assert np.isnan(unpriced).tolist() == [True, False, True]
    assert np.isnan(recorded.cost_usd).tolist() == [False, False, True]
    assert recorded.cost_usd[1] == unpriced[1]
    assert recorded.cost_usd[0] > 0


def test_state_round_trips() -> None:
    """What is saved estimates as what was fitted."""
    state = some_state()
    again = RouterState.from_arrays(state.to_arrays())
    before = HybridEstimator(state, pricer).estimate(features(), POOL)
    after = HybridEstimator(again, pricer).estimate(features(), POOL)
    np.testing.assert_allclose(after.quality, before.quality, atol=2e-3)
    assert after.basis == before.basis


def test_state_without_a_record_reads_as_the_stated_priors() -> None:
    """An artifact that holds only other parts still serves."""
    assert RouterState.from_arrays({}).models == ()


def without_axes(state: RouterState, *, classes: float) -> RouterState:
    """The same state, its table by axes without a weight: then one query goes the quick way."""
    blend = replace(
        state.blend,
        familiar=np.array([0.0, classes, 0.9]),
        told=np.array([0.0, 0.8, 0.2]),
        novel=np.array([0.0, 0.1, 0.2]),
    )
    return replace(state, blend=blend)


ON_THIS_MACHINE = Candidate(
    name="here", deployment="d", remote_name="here", latency_s=0.3,
    model=Model(
        name="here", provider="local", size_b=0.5, price=Price(cpu_usd_per_hour=0.04),
        kind="program",
    ),
)  # fmt: skip
ANYWHERE = Candidate(
    name="slow", deployment="d", remote_name="slow", latency_s=7.0, model=POOL[0].model
)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000), st.integers(1, 40_000), st.integers(1, 14), st.sampled_from([0, 0.6])
)
def test_one_query_alone_gets_the_numbers_it_would_get_among_many(
    seed: int, tokens: int, size: int, classes: float
) -> None:
    """The quick way by which a gateway is answered tells what replay is told."""
    estimator = HybridEstimator(without_axes(some_state(seed), classes=classes), pricer)
    pool = tuple(((ON_THIS_MACHINE, ANYWHERE, *POOL) * 2)[:size])
    query = features(seed, tokens=tokens)
    alone, many = estimator.estimate(query, pool), estimator.estimate_many((query,), pool)[0]
    for name in ("quality", "quality_sd", "cost_usd", "latency_s"):
        np.testing.assert_allclose(getattr(alone, name), getattr(many, name), rtol=1e-6)
    assert alone.familiarity == pytest.approx(many.familiarity)
    assert (alone.route, alone.basis) == (many.route, many.basis)
