"""Promises from labelled answers: given where labels carry them, refused with numbers otherwise."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from emafusion.domain.errors import BadInput
from emafusion.lab.certifying import Wanted, certify
from emafusion.lab.overlap import marks_of
from emafusion.lab.replaying import Asked
from emafusion.replay.guarantee.certificate import Certificate, Refusal
from emafusion.store.artifact import Artifact, load_default


@pytest.fixture(name="artifact", scope="module")
def _artifact() -> Artifact:
    found = load_default()
    assert found is not None
    return found


def table(queries: int, rates: dict[str, float]) -> pl.DataFrame:
    """Answers of models that are right at these rates, all asked the same."""
    rng = np.random.default_rng(1)
    rows = [
        {
            "query_id": f"q{i}",
            "prompt": f"Which is right, number {i}?\nA) one\nB) two",
            "messages": None,
            "dataset": "made",
            "model": model,
            "response": "The answer is A",
            "answer": "A",
            "score": float(rng.random() < rate),
            "cost_usd": cost,
            "latency_s": 1.0,
            "mean_logprob": None,
            "prompt_tokens": 20,
            "completion_tokens": 5,
            "sample": 0,
        }
        for i in range(queries)
        for (model, rate), cost in zip(rates.items(), (0.01, 0.001), strict=True)
    ]
    text = ("query_id", "prompt", "messages", "dataset", "model", "response", "answer")
    numbers = ("score", "cost_usd", "latency_s", "mean_logprob")
    counts = ("prompt_tokens", "completion_tokens", "sample")
    return pl.DataFrame(rows).select(
        *(pl.col(name).cast(pl.String) for name in text),
        *(pl.col(name).cast(pl.Float64) for name in numbers),
        *(pl.col(name).cast(pl.Int64) for name in counts),
    )


def always(model: str) -> Asked:
    """A policy that asks one model, so that the truth is known."""
    return Asked(policy=f"single:{model}", quality_weights=(0.0, 1.0))


def test_a_model_keeps_its_own_quality(artifact: Artifact) -> None:
    """Served by the reference itself, 90 % of its quality is promised, at the cheapest setting."""
    frame = table(400, {"dear": 0.8, "cheap": 0.5})
    found = certify(
        frame, artifact, Wanted(min_quality=0.9, reference="dear"), asked=always("dear")
    )
    assert isinstance(found, Certificate)
    assert (found.quality_weight, found.queries, found.kept) == (0.0, 400, 1.0)
    assert found.p_value <= 0.05
    assert found.cost_usd == pytest.approx(0.01)
    assert "at least 90.0% of the quality of dear" in found.promise


def test_what_cannot_be_promised_is_refused_with_the_number_that_would_do(
    artifact: Artifact,
) -> None:
    """A model that is far worse gets a refusal, and the share that it does keep."""
    frame = table(400, {"dear": 0.8, "cheap": 0.5})
    found = certify(
        frame, artifact, Wanted(min_quality=0.95, reference="dear"), asked=always("cheap")
    )
    assert isinstance(found, Refusal)
    assert found.queries_needed is None
    assert found.min_quality_within_reach is not None
    assert 0.3 < found.min_quality_within_reach < 0.7


def test_too_few_labels_are_told_with_how_many_would_do(artifact: Artifact) -> None:
    """Sixty queries do not carry a promise of 99 %; some thousand would."""
    frame = table(60, {"dear": 0.8, "cheap": 0.5})
    wanted = Wanted(min_quality=0.99, reference="dear")
    found = certify(frame, artifact, wanted, asked=always("dear"))
    assert isinstance(found, Refusal)
    assert found.queries_needed is not None
    assert found.queries_needed > 60
    assert "about" in found.reason


def test_what_was_fitted_on_proves_nothing(artifact: Artifact) -> None:
    """Such queries are left out and told; where there are no others that is the answer."""
    frame = table(400, {"dear": 0.8, "cheap": 0.5})
    prompts = frame["prompt"].unique().sort()
    fitted = Artifact(arrays={**artifact.arrays, **marks_of(prompts[:150])}, card=artifact.card)
    wanted = Wanted(min_quality=0.9, reference="dear")
    found = certify(frame, fitted, wanted, asked=always("dear"))
    assert (found.queries, found.left_out) == (250, 150)
    fitted = Artifact(arrays={**artifact.arrays, **marks_of(prompts)}, card=artifact.card)
    with pytest.raises(BadInput, match="fitted on all 400 of its queries"):
        certify(frame, fitted, wanted, asked=always("dear"))


def test_answers_that_nobody_labelled_count_as_wrong_and_are_told(artifact: Artifact) -> None:
    """A log whose cheap answers have no labels cannot show that they are good."""
    frame = table(60, {"dear": 0.8, "cheap": 0.5}).with_columns(
        score=pl.when(pl.col("model") == "dear").then(pl.col("score"))
    )
    wanted = Wanted(min_quality=0.9, reference="dear")
    found = certify(frame, artifact, wanted, asked=always("cheap"))
    assert isinstance(found, Refusal)
    assert (found.unlabelled, found.kept) == (60, 0.0)
    assert certify(frame, artifact, wanted, asked=always("dear")).unlabelled == 0


def test_promises_that_are_none_are_refused_in_a_line(artifact: Artifact) -> None:
    """A share above 1, and a table of a dozen queries."""
    with pytest.raises(BadInput, match="not between 0 and 1"):
        certify(table(30, {"a": 1, "b": 1}), artifact, Wanted(min_quality=1.5))
    with pytest.raises(BadInput, match="at least 20"):
        certify(table(12, {"a": 1, "b": 1}), artifact, Wanted(reference="a"), asked=always("a"))


def test_equal_tables_have_equal_hashes_whatever_their_order(artifact: Artifact) -> None:
    """The certificate names its data by content."""
    frame = table(400, {"dear": 0.8, "cheap": 0.5})
    wanted = Wanted(min_quality=0.9, reference="dear")
    one = certify(frame, artifact, wanted, asked=always("dear"))
    other = certify(frame.reverse(), artifact, wanted, asked=always("dear"))
    assert isinstance(one, Certificate)
    assert isinstance(other, Certificate)
    assert one.data_sha256 == other.data_sha256
