"""Options for one request, in the body and in headers."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import BadInput
from emafusion.wire.openai import decode_query
from emafusion.wire.options import Options, decode_options, merge_options, options_from_headers


def in_body(value: object) -> Options:
    """Read options from a request's body."""
    fields = {"model": "a", "messages": [{"role": "user", "content": "x"}], "emafusion": value}
    return decode_options(decode_query(msgspec.json.encode(fields), query_id="q"))


def test_every_option_can_be_said_in_the_body() -> None:
    """What `extra_body` sends is read."""
    given_options = Options(
        quality_weight=0.8,
        max_cost_usd=0.01,
        min_quality=0.5,
        max_latency_s=2.0,
        models=("a", "b"),
        session="s",
        baseline="b",
        dataset="d",
        answer_value_usd=0.02,
    )
    assert in_body(msgspec.to_builtins(given_options)) == given_options


def test_every_option_can_be_said_in_headers() -> None:
    """Headers mean the same, names in a comma list."""
    headers = {
        "authorization": "Bearer x",
        "x-emafusion-quality-weight": "0.8",
        "x-emafusion-max-cost-usd": "1e-2",
        "x-emafusion-min-quality": "0.5",
        "x-emafusion-max-latency-s": "2",
        "x-emafusion-models": "a, b",
        "x-emafusion-session": "7",
        "x-emafusion-baseline": "b",
        "x-emafusion-dataset": "d",
    }
    assert options_from_headers(headers) == Options(
        quality_weight=0.8,
        max_cost_usd=0.01,
        min_quality=0.5,
        max_latency_s=2.0,
        models=("a", "b"),
        session="7",
        baseline="b",
        dataset="d",
    )


def test_nothing_said_is_nothing_wanted() -> None:
    """No options are no options, not defaults."""
    assert in_body(None) == in_body({}) == options_from_headers({"accept": "*/*"}) == Options()


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"qualty_weight": 1}, "did you mean 'quality_weight'?"),
        ({"zzz": 1}, "known are answer_value_usd, baseline"),
        ({"quality_weight": 1.1}, "emafusion.quality_weight: expected number <= 1.0"),
        ({"models": "a"}, "emafusion.models: expected array, got string"),
        ({"models": []}, "emafusion.models: expected array of length >= 1"),
        ({"max_latency_s": 0}, "emafusion.max_latency_s: expected number > 0.0"),
        ([], "emafusion: expected object, got array"),
    ],
)
def test_a_wrong_option_in_the_body_is_named(value: object, line: str) -> None:
    """Nothing is ignored silently."""
    with pytest.raises(BadInput, match="emafusion") as caught:
        in_body(value)
    assert line in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("x-emafusion-quality-wieght", "1", "did you mean 'quality-weight'?"),
        ("x-emafusion-quality-weight", "high", "expected a number, got 'high'"),
        ("x-emafusion-quality-weight", "nan", "expected a number, got 'nan'"),
        ("x-emafusion-quality-weight", "2", "expected number <= 1.0 in '2'"),
        ("x-emafusion-max-cost-usd", "-1", "expected number >= 0.0"),
        ("x-emafusion-models", " , ", "expected array of length >= 1"),
        ("x-emafusion-session", "", "expected string of length >= 1"),
    ],
)
def test_a_wrong_header_is_named(name: str, text: str, line: str) -> None:
    """The complaint names the header."""
    with pytest.raises(BadInput) as caught:
        options_from_headers({name: text})
    assert caught.value.where == name
    assert line in str(caught.value)


@given(st.sampled_from(["quality-weight", "models", "session", "max-latency-s"]), st.text())
def test_any_header_is_options_or_bad_input(name: str, text: str) -> None:
    """No header text raises anything else."""
    with suppress(BadInput):
        options_from_headers({f"x-emafusion-{name}": text})


def test_a_header_wins_over_the_body() -> None:
    """Where both say something the header counts; else whichever does."""
    merged = merge_options(
        body=Options(quality_weight=0.1, session="body"), headers=Options(quality_weight=0.0)
    )
    assert merged == Options(quality_weight=0.0, session="body")
