"""The encoder's contract: labels are distributions, counts are in 0..1, work is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features
from emafusion.domain.query import (
    Format,
    ImagePart,
    Message,
    Query,
    Role,
    TextPart,
    Tool,
    ask,
)  # fmt: skip
from emafusion.encode.classify import COLUMNS, ClassifierState, carry_depth
from emafusion.encode.counts import COUNTS
from emafusion.encode.encoder import HashEncoder
from emafusion.encode.hashing import BUCKETS


def some_state(seed: int = 0) -> ClassifierState:
    """Weights drawn at random."""
    rng = np.random.default_rng(seed)
    return ClassifierState(
        words=rng.normal(size=(BUCKETS, COLUMNS)).astype(np.float32),
        counts=rng.normal(size=(len(COUNTS), COLUMNS)).astype(np.float32),
        bias=rng.normal(size=COLUMNS).astype(np.float32),
        thresholds=np.array([-1.0, 0.0, 1.0, 2.0]),
    )


STATE = some_state()


def said(*texts: str, **more: object) -> Query:
    """A conversation: user and assistant in turn."""
    roles: tuple[Role, Role] = ("user", "assistant")
    messages = tuple(
        Message(role=roles[i % 2], parts=(TextPart(text=text),)) for i, text in enumerate(texts)
    )
    return Query(query_id="q", messages=messages, **more)  # type: ignore[arg-type]  # kept short


def count(features: Features, name: str) -> float:
    """One count by its name."""
    return float(features.counts[COUNTS.index(name)])


@given(st.text(max_size=300))
def test_labels_are_distributions_and_counts_in_range(text: str) -> None:
    """On any text each axis sums to 1 and every count is in 0..1."""
    features = HashEncoder(STATE).encode(ask(text))
    labels = features.labels
    for axis in (labels.task, labels.depth, labels.domain, labels.format):
        assert np.isclose(axis.sum(), 1.0)
        assert np.all(axis >= 0)
    assert np.all((features.counts >= 0) & (features.counts <= 1))
    assert features.prompt_tokens >= 1


def test_a_query_without_messages_or_users_is_encoded() -> None:
    """Nothing to read is no error here: admission decides that."""
    empty = Query(query_id="q", messages=())
    system = Query(
        query_id="q", messages=(Message(role="system", parts=(TextPart(text="be kind"),)),)
    )
    assert len(HashEncoder(STATE).encode(empty).indices) == 0
    assert len(HashEncoder(STATE).encode(system).indices) == 3


def test_a_short_follow_up_keeps_the_depth_of_the_turn_before() -> None:
    """A "yes, go on" after a hard question is not taken for an easy query."""
    encoder = HashEncoder(STATE)
    alone = encoder.encode(said("yes go on"))
    after = encoder.encode(said("Prove the theorem of Gauss on curvature", "Well", "yes go on"))
    first = encoder.encode(said("Prove the theorem of Gauss on curvature"))
    levels = np.arange(5)
    assert after.labels.depth @ levels >= alone.labels.depth @ levels - 1e-9
    assert len(after.indices) > len(alone.indices)
    assert set(after.indices) & set(first.indices)


@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5), st.integers(0, 3))
def test_carried_depth_is_a_distribution_not_below_the_latest(raw: list[float], n: int) -> None:
    """Earlier turns can only make a turn deeper."""
    latest = np.array(raw) / np.sum(raw)
    earlier = tuple(np.roll(latest, shift) for shift in range(1, n + 1))
    carried = carry_depth(latest, earlier)
    assert np.isclose(carried.sum(), 1.0)
    assert carried @ np.arange(5) >= latest @ np.arange(5) - 1e-9


def test_counts_see_the_request_and_not_only_its_words() -> None:
    """Tools, schema, images and turns are features."""
    picture = Message(role="user", parts=(TextPart(text="What is this?"), ImagePart(url="data:,x")))
    query = Query(
        query_id="q", messages=(picture,), tools=(Tool(name="look"),),
        format=Format(kind="json_object"),
    )  # fmt: skip
    features = HashEncoder(STATE).encode(query)
    assert count(features, "images") == 1.0
    assert count(features, "schema") == 1.0
    assert count(features, "tools") > 0
    assert count(features, "ends_asking") == 1.0
    choice = HashEncoder(STATE).encode(ask("Which?\nA) one\nB) two\nC) three"))
    assert count(choice, "choices") == pytest.approx(0.3)


def test_a_megabyte_is_no_more_work_than_a_page() -> None:
    """Only the start and end of a long prompt are hashed, all of it is counted as tokens."""
    features = HashEncoder(STATE).encode(ask("lorem ipsum " * 100_000))
    assert len(features.indices) < 5000
    assert features.prompt_tokens > 100_000


def test_state_round_trips_and_wrong_shapes_are_named() -> None:
    """What is saved is what is read; another shape is the artifact's fault."""
    again = ClassifierState.from_arrays(STATE.to_arrays())
    np.testing.assert_allclose(again.words, STATE.words, atol=0.05)
    with pytest.raises(BadInput, match="shapes"):
        ClassifierState.from_arrays({**STATE.to_arrays(), "encoder/bias": np.zeros(3)})


def test_encoding_is_pure() -> None:
    """Same query, same features."""
    query = ask("Why is the sky blue?")
    one, two = (HashEncoder(STATE).encode(query) for _ in range(2))
    np.testing.assert_array_equal(one.weights, two.weights)
    assert one.prompt_hash == two.prompt_hash
    assert len(one.prompt_hash) == 32


def test_a_query_that_comes_again_is_not_read_again() -> None:
    """Features of short queries are kept, by all that is looked at and by nothing else."""
    encoder = HashEncoder(some_state())
    first = encoder.encode(ask("What is 2 + 2?", query_id="a", requested="auto"))
    assert encoder.encode(ask("What is 2 + 2?", query_id="b", requested="small")) is first
    again = HashEncoder(some_state()).encode(ask("What is 2 + 2?"))
    assert np.array_equal(first.weights, again.weights)
    shaped = Query(
        query_id="c",
        messages=ask("What is 2 + 2?").messages,
        format=Format(kind="json_object"),
    )
    assert encoder.encode(shaped) is not first
    long = "word " * 2_000
    assert encoder.encode(ask(long)) is not encoder.encode(ask(long))
