"""A replay: the served flow over recorded answers, and what it decides."""

from __future__ import annotations

import pytest

pytest.importorskip("polars")

import numpy as np
import polars as pl
from tests.replay.recorded_table import MODELS, frame_of, rows_of

from emafusion.domain.errors import BadInput, UnknownModel
from emafusion.lab.replaying import Asked, replay
from emafusion.replay.decisions import COLUMNS, decisions_of

EVERY = ("hybrid", "router", "taxonomy", "learned", "cascade", "fusion", "agreement", "induction",
         "threshold", "paper", "single:large", "random-mix:small,large", "oracle")  # fmt: skip


@pytest.mark.parametrize("policy", EVERY)
def test_every_policy_decides_every_query_once_a_setting(policy: str) -> None:
    """One row for each query and setting, with the columns of the design."""
    done = replay(frame_of(rows_of(12)), None, Asked(policy=policy, quality_weights=(0.0, 1.0)))
    frame = decisions_of(done.records, done.runs)
    assert tuple(frame.columns) == COLUMNS
    assert frame.height == 24
    assert frame["policy"].unique().to_list() == [policy]
    together = {None} if policy == "fusion" else set()
    assert set(frame["model"].to_list()) <= set(MODELS) | together
    assert frame["answer"].is_not_null().all()
    assert all(models[0] in MODELS for models in frame["models"].to_list())
    assert frame["propensity"].is_between(0, 1).all()


@pytest.mark.parametrize("policy", ["hybrid", "random-mix:small,large", "cascade"])
def test_a_replay_can_be_repeated(policy: str) -> None:
    """The same table and seed give the same decisions."""
    asked = Asked(policy=policy, quality_weights=(0.3,))
    first, again = (replay(frame_of(rows_of(20)), None, asked) for _ in range(2))
    same = decisions_of(first.records, first.runs)
    assert same.equals(decisions_of(again.records, again.runs))


def test_decisions_tell_what_was_spent() -> None:
    """Cost and latency are the sum of every call; the answer is the recorded one."""
    done = replay(frame_of(rows_of(6)), None, Asked(policy="single:middle", quality_weights=(0.5,)))
    frame = decisions_of(done.records, done.runs)
    assert frame["cost_usd"].to_list() == pytest.approx([0.0001] * 6)
    assert frame["latency_s"].to_list() == pytest.approx([0.6] * 6)
    assert frame["answer"].to_list() == ["0", "3", "4", "7", "8", "11"]
    assert frame["route"].unique().to_list() == ["direct"]


def test_the_oracle_is_never_worse_than_a_model() -> None:
    """It takes an answer of the best score, the cheapest of them."""
    done = replay(frame_of(rows_of(30)), None, Asked(policy="oracle", quality_weights=(1.0,)))
    rows = np.arange(30)
    got = done.records.score[rows, done.runs[0].model]
    assert (got == done.records.score.max(axis=1)).all()


def test_a_cascade_goes_on_until_it_is_sure() -> None:
    """At 0 the first answer is taken, at 1 the whole chain is asked."""
    asked = Asked(policy="cascade", quality_weights=(0.0, 1.0))
    done = replay(frame_of(rows_of(10)), None, asked)
    assert (done.runs[0].calls == 1).all()
    assert (done.runs[1].calls >= done.runs[0].calls).all()


def test_without_scores_there_are_decisions() -> None:
    """The same ones as with scores: no served policy looks at them."""
    asked = Asked(policy="hybrid", quality_weights=(0.5, 0.9))
    scored = replay(frame_of(rows_of(20)), None, asked)
    blind = replay(frame_of(rows_of(20, score=None)), None, asked)
    assert not blind.records.is_scored
    assert decisions_of(scored.records, scored.runs).equals(decisions_of(blind.records, blind.runs))


def test_a_model_that_was_not_asked_is_no_candidate() -> None:
    """Where an answer is missing the policy chooses among the others."""
    rows = [row for row in rows_of(10) if (row["query_id"], row["model"]) != ("q3", "large")]
    done = replay(frame_of(rows), None, Asked(policy="fusion", quality_weights=(1.0,)))
    place = done.records.place("large")
    assert place not in done.runs[0].called[3]
    single = replay(frame_of(rows), None, Asked(policy="single:large", quality_weights=(1.0,)))
    assert single.runs[0].model.tolist()[3] == -1
    assert single.runs[0].called[3] == ()


def test_other_prices_hold_after_the_fact(price_of_large: Asked) -> None:
    """Recorded costs are made anew from the tokens; other models keep theirs."""
    done = replay(frame_of(rows_of(4)), None, price_of_large)
    costs = done.records.cost_usd
    assert costs[:, done.records.place("large")].tolist() == pytest.approx([22e-6] * 4)
    assert costs[:, done.records.place("small")].tolist() == pytest.approx([1e-5] * 4)


@pytest.fixture
def price_of_large() -> Asked:
    """One dollar for a million tokens."""
    from emafusion.domain.model import Price

    price = Price(prompt_usd_per_mtok=1.0, completion_usd_per_mtok=1.0)
    return Asked(policy="router", quality_weights=(1.0,), prices={"large": price})


def test_the_oracle_needs_scores() -> None:
    """A clear line rather than a guess."""
    with pytest.raises(BadInput, match="oracle needs the column score"):
        replay(frame_of(rows_of(3, score=None)), None, Asked(policy="oracle"))


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("best", "there are hybrid, router"),
        ("single", "single:NAME"),
        ("random-mix:small", "two different models"),
        ("task-table", "no table of tasks"),
    ],
)
def test_a_wrong_policy_is_told(policy: str, told: str) -> None:
    """What it should have been."""
    with pytest.raises(BadInput, match=told):
        replay(frame_of(rows_of(3)), None, Asked(policy=policy))


def test_an_unknown_model_is_told() -> None:
    """With the names that are there."""
    with pytest.raises(UnknownModel, match="large, middle, small"):
        replay(frame_of(rows_of(3)), None, Asked(policy="single:huge"))
    with pytest.raises(UnknownModel, match="large, middle, small"):
        replay(frame_of(rows_of(3)), None, Asked(models=("huge",)))


def test_repeated_answers_count_once() -> None:
    """The first sample of each model is replayed, the others are counted."""
    rows = [*rows_of(5), *rows_of(5, response="something else", sample=1)]
    done = replay(frame_of(rows), None, Asked(policy="single:small", quality_weights=(0.5,)))
    assert done.records.repeated == 15
    assert len(done.records.queries) == 5


@pytest.mark.parametrize(
    "changed",
    [
        {"cost_usd": None},
        {"score": 1.0},
        {"response": None},
        {"response": None, "answer": None},
        {"prompt": None},
        {"prompt": "مرحبا 你好 🤷 \x00" * 50},
        {"prompt": "long " * 2_000_000},
        {"latency_s": None, "completion_tokens": None},
        {"dataset": None},
    ],
)
def test_whatever_is_missing_or_strange(changed: dict[str, object]) -> None:
    """A replay ends with a decision for each query."""
    frame = frame_of(rows_of(2, **changed))
    done = replay(frame, None, Asked(policy="hybrid", quality_weights=(0.2, 1.0)))
    assert (done.runs[1].model >= 0).all()
    if changed.get("cost_usd", 0.0) is None:
        assert np.isnan(done.runs[1].cost_usd).all()


def test_conversations_replay_with_their_tools() -> None:
    """Messages and tools of a row are what the parts see, and every model may be asked."""
    body = (
        '{"messages": [{"role": "user", "content": "Book a flight"}], "tools": [{"type": '
        '"function", "function": {"name": "book", "parameters": {"type": "object"}}}]}'
    )
    done = replay(
        frame_of(rows_of(2, prompt=None, messages=body)), None, Asked(quality_weights=(1.0,))
    )
    assert done.records.queries[0].prompt == "Book a flight"
    assert done.records.queries[0].tools[0].name == "book"
    assert (done.runs[0].model >= 0).all()


@pytest.mark.parametrize(("queries", "models"), [(1, None), (1, ("large",)), (5, ("small",))])
def test_one_query_or_one_model(queries: int, models: tuple[str, ...] | None) -> None:
    """Is little, but no mistake."""
    asked = Asked(policy="hybrid", quality_weights=(0.5,), models=models)
    assert (replay(frame_of(rows_of(queries)), None, asked).runs[0].model >= 0).all()


def test_an_empty_table_is_told() -> None:
    """In one line."""
    with pytest.raises(BadInput, match="has no rows"):
        replay(frame_of(rows_of(1)).clear(), None, Asked())
    with pytest.raises(BadInput, match="1 rows have no query_id"):
        replay(
            frame_of(rows_of(1)).with_columns(
                pl.when(pl.col("model") == "small")
                .then(None)
                .otherwise(pl.lit("q"))
                .alias("query_id")
            ),
            None,
        )
