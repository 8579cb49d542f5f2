"""Price lists of others: their shapes are read, their gaps stay gaps, their nonsense is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.catalog import TieredPrice, cost_usd
from emafusion.catalog.importing import from_litellm, from_models_dev, from_openrouter
from emafusion.domain.attempt import Usage
from emafusion.domain.errors import BadInput
from emafusion.domain.model import Model, Price

Importer = Callable[[bytes], tuple[Model, ...]]
IMPORTERS: tuple[Importer, ...] = (from_litellm, from_models_dev, from_openrouter)

LITELLM = {
    "sample_spec": {"mode": "one of: chat, embedding", "max_input_tokens": "max input tokens"},
    "gpt-9": {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 2.5e-06,
        "output_cost_per_token": 1.5e-05,
        "cache_read_input_token_cost": 2.5e-07,
        "input_cost_per_token_above_272k_tokens": 5e-06,
        "output_cost_per_token_above_272k_tokens": 2.25e-05,
        "max_input_tokens": 1050000,
        "max_output_tokens": "128000",
        "supports_function_calling": True,
        "supports_vision": False,
        "search_context_cost_per_query": {"search_context_size_high": 0.01},
    },
    "groq/free": {
        "litellm_provider": "groq",
        "mode": "chat",
        "input_cost_per_token": 0.0,
        "output_cost_per_token": 0.0,
    },
    "embed": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-7},
}


def test_litellms_list_with_its_long_context_prices() -> None:
    """Prices per token become prices per million; a tier keeps what it does not restate."""
    first, free = from_litellm(json.dumps(LITELLM).encode(), dated="2026-11-01")
    assert (first.name, first.provider, first.max_completion_tokens) == ("gpt-9", "openai", 128_000)
    assert first.abilities == {"tools"}
    assert isinstance(first.price, TieredPrice)
    assert (first.price.prompt_usd_per_mtok, first.price.dated) == (2.5, "2026-11-01")
    long = Usage(prompt_tokens=300_000, cached_prompt_tokens=300_000)
    assert cost_usd(long, first.price) == pytest.approx(0.3 * 0.25)
    assert cost_usd(Usage(prompt_tokens=300_000), first.price) == pytest.approx(0.3 * 5.0)
    assert (free.name, free.price) == ("free", None)


def test_models_devs_list() -> None:
    """Providers with their models; prices above 200k tokens become a tier."""
    listed = {
        "google": {
            "id": "google",
            "name": "Google",
            "models": {
                "gemini-9": {
                    "id": "gemini-9",
                    "tool_call": True,
                    "reasoning": True,
                    "modalities": {"input": ["text", "image"], "output": ["text"]},
                    "limit": {"context": 1048576, "output": 65536},
                    "cost": {
                        "input": 2,
                        "output": 12,
                        "cache_read": 0.2,
                        "context_over_200k": {"input": 4, "output": 18, "cache_read": 0.4},
                    },
                },
                "unpriced": {"id": "unpriced", "cost": {}},
                "painter": {"id": "painter", "modalities": {"output": ["image"]}},
            },
        }
    }
    first, unpriced = from_models_dev(json.dumps(listed).encode())
    assert (first.name, first.provider, first.context_tokens) == ("gemini-9", "google", 1_048_576)
    assert first.abilities == {"tools", "images", "reasoning"}
    assert cost_usd(Usage(prompt_tokens=200_001), first.price) == pytest.approx(0.800004)
    assert (unpriced.name, unpriced.price, unpriced.context_tokens) == ("unpriced", None, None)


def test_openrouters_list() -> None:
    """Prices come as text; free is free, and a router that picks has no price."""
    listed = {
        "data": [
            {
                "id": "z-ai/glm-9",
                "context_length": 1048576,
                "pricing": {"prompt": "0.0000014", "completion": "0.0000044", "image": "0"},
                "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
                "supported_parameters": ["tools", "response_format", "structured_outputs"],
                "top_provider": {"max_completion_tokens": None},
            },
            {"id": "z-ai/glm-9:free", "pricing": {"prompt": "0", "completion": "0"}},
            {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
        ]
    }
    paid, free, auto = from_openrouter(json.dumps(listed).encode())
    assert paid.price == Price(prompt_usd_per_mtok=1.4, completion_usd_per_mtok=4.4)
    assert paid.abilities == {"tools", "json_object", "json_schema"}
    assert cost_usd(Usage(prompt_tokens=9, completion_tokens=9), free.price) == 0.0
    assert auto.price is None


@pytest.mark.parametrize("importer", IMPORTERS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'{"a": 1}',
        b'{"a": {"id": 5, "models": 5}}',
        b'{"data": 5}',
        b'{"data": [{"id": null}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_not_the_list_is_refused_in_one_line(importer: Importer, data: bytes) -> None:
    """Each importer says which list it wanted; none guesses."""
    with pytest.raises(BadInput, match="price list: cannot be read as") as caught:
        importer(data)
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
WORDS = (
    "id models data cost input pricing prompt mode limit context litellm_provider max_input_tokens "
    "input_cost_per_token input_cost_per_token_above_9k_tokens"
)
keys = st.sampled_from(sorted(WORDS.split()))
trees = st.recursive(
    json_values | st.sampled_from(["chat", "-1", "1e400", 1e-6]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)


@given(st.sampled_from(IMPORTERS), st.dictionaries(keys, trees))
def test_any_tree_is_a_list_of_models_or_refused(importer: Importer, tree: object) -> None:
    """Whatever stands in a list, no price below 0 and no other kind of failure comes of it."""
    try:
        models = importer(json.dumps(tree).encode())
    except BadInput:
        return
    for model in models:
        cost = cost_usd(Usage(prompt_tokens=20_000, completion_tokens=1), model.price)
        assert cost is None or cost >= 0
