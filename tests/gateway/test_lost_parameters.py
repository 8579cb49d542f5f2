"""What an API cannot say is never lost in silence."""

from __future__ import annotations

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import QUESTION, chat, rows

MIXED = """
  - {name: claude, provider: anthropic, base_url: "URL", prompt_usd_per_mtok: 0.1,
     completion_usd_per_mtok: 0.4, context_tokens: 100000, size_b: 300,
     abilities: [tools, json_schema, images, n, logprobs]}
  - {name: gpt, provider: openai, base_url: "URL", prompt_usd_per_mtok: 20,
     completion_usd_per_mtok: 80, context_tokens: 100000, size_b: 3,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}
"""
"""A model that a router would rather take, behind the API that can say less."""

CHEAPEST = {"x-emafusion-quality-weight": "0"}

HARD: list[tuple[str, object]] = [
    ("n", 2),
    ("logprobs", True),
    ("logit_bias", {"50256": -100}),
    ("web_search_options", {"search_context_size": "low"}),
    ("modalities", ["text", "audio"]),
    ("audio", {"format": "wav", "voice": "alloy"}),
    ("response_format", {"type": "json_object"}),
    ("moderation", {"model": "omni"}),
    ("something_new", {"changes": "the answer"}),
]


@pytest.fixture
def mixed(start_gateway: StartGateway) -> Gateway:
    """A gateway in front of two APIs."""
    return start_gateway(models=MIXED)


def test_plain_query_goes_where_it_is_cheaper(mixed: Gateway, provider: Provider) -> None:
    """Without such parameters the first of the two answers."""
    reply = chat(mixed, CHEAPEST)
    assert reply.headers["x-emafusion-model"] == "claude"
    assert "x-emafusion-dropped" not in reply.headers
    assert {body["model"] for body in provider.seen} == {"claude"}


@pytest.mark.parametrize(("name", "value"), HARD)
def test_routed_query_goes_where_everything_can_be_said(
    mixed: Gateway, provider: Provider, name: str, value: object
) -> None:
    """A parameter that makes another query of it keeps away the models that would lose it."""
    reply = chat(mixed, CHEAPEST, **{name: value})
    assert reply.status == 200, reply.raw
    assert [body["model"] for body in provider.seen] == ["gpt"]
    assert provider.seen[-1][name] == value


@pytest.mark.parametrize(("name", "value"), HARD)
def test_named_model_that_cannot_say_it_is_a_400(
    mixed: Gateway, provider: Provider, name: str, value: object
) -> None:
    """Who names the model is told which parameter it does not know, before it is called."""
    reply = chat(mixed, model="claude", **{name: value})
    assert reply.status == 400
    assert reply.error["param"] == name
    assert "claude" in reply.error["message"]
    assert rows(mixed) == [400]
    assert not provider.seen


def test_nobody_can_say_it(start_gateway: StartGateway, provider: Provider) -> None:
    """Where no model of the pool can, the reason is told for each."""
    alone = start_gateway(models=MIXED.partition("  - {name: gpt")[0])
    reply = chat(alone, logit_bias={"1": 5})
    assert reply.status == 400
    assert "claude: its API has no 'logit_bias'" in reply.error["message"]
    assert not provider.seen


def test_what_does_not_change_the_answer_is_told(mixed: Gateway, provider: Provider) -> None:
    """Soft wishes are left out and named, in the header and in the log."""
    wishes = {"seed": 7, "store": True, "user": "u-1", "metadata": {"a": "b"}, "verbosity": "low"}
    reply = chat(mixed, CHEAPEST, **wishes)
    assert reply.headers["x-emafusion-model"] == "claude"
    assert reply.headers["x-emafusion-dropped"] == "seed,verbosity,metadata,store"
    assert reply.body["emafusion"]["dropped"] == "seed,verbosity,metadata,store"
    assert "seed" not in provider.seen[-1]
    assert "seed,verbosity" in rows(mixed, "select tags from details")[0]


def test_named_model_loses_soft_wishes_openly(mixed: Gateway) -> None:
    """A direct call tells the same."""
    assert chat(mixed, model="claude", seed=7).headers["x-emafusion-dropped"] == "seed"
    assert "x-emafusion-dropped" not in chat(mixed, model="gpt", seed=7).headers


def test_tool_talk_needs_a_model_with_tools(start_gateway: StartGateway) -> None:
    """A conversation in which tools were called goes to no model that knows none."""
    plain = start_gateway(models=MIXED.replace("tools, ", ""))
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    turns = [
        *QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Oslo"},
    ]
    reply = chat(plain, messages=turns)
    assert reply.status == 400
    assert "has no ability 'tools'" in reply.error["message"]
