"""Anthropic's API in front of the gateway: what its clients send and get, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from tests.gateway import anthropic_says as says
from tests.gateway.provider import Provider
from tests.gateway.starting import CHEAP_AND_DEAR, Gateway, StartGateway
from tests.gateway.talking import Body, Said, rows, send

CLAUDE = f"""
  - {{name: {says.MODEL}, provider: anthropic, base_url: "URL", api_key_env: EMAFUSION_HOME,
     prompt_usd_per_mtok: 5, completion_usd_per_mtok: 25, context_tokens: 200000, size_b: 300,
     abilities: [tools, json_schema, images, reasoning]}}
"""
ASKED: Body = {
    "model": says.MODEL,
    "max_tokens": 500,
    "messages": [{"role": "user", "content": "What is the capital of Norway?"}],
}


def ask(gateway: Gateway, headers: dict[str, str] | None = None, /, **fields: object) -> Said:
    """Ask for a message."""
    body = json.dumps({**ASKED, **fields}).encode()
    return send(gateway, "POST", "/v1/messages", body, headers)


def events(said: Said) -> list[Body]:
    """The events of a stream, each of which must be named as its data is."""
    found: list[Body] = []
    for framed in said.raw.decode().strip().split("\n\n"):
        name, _, data = framed.partition("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


@pytest.fixture
def claude(start_gateway: StartGateway) -> Gateway:
    """A gateway in front of Anthropic."""
    return start_gateway(models=CLAUDE)


@pytest.fixture
def client(start_gateway: StartGateway) -> Iterator[anthropic.Anthropic]:
    """The official client in front of a gateway whose models are OpenAI's."""
    with anthropic.Anthropic(base_url=start_gateway().url, api_key="k", max_retries=0) as made:
        yield made


def test_a_query_reaches_anthropic_as_it_came(claude: Gateway, provider: Provider) -> None:
    """Blocks, markers for the cache, signatures, fields that nobody knows; version and betas."""
    provider.canned["/messages"] = says.whole()
    marked = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    asked: dict[str, Any] = {
        "system": [{"type": "text", "text": "Be brief.", **marked}],
        "messages": [
            {"role": "user", "content": "Capital?"},
            {"role": "assistant", "content": [says.THOUGHT, says.REDACTED, says.TEXT, says.TOOL]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Oslo", **marked}
                ],
            },
        ],
        "tools": [
            {"name": "look_up", "input_schema": {"type": "object"}, **marked},
            {"type": "web_search_20260318", "name": "web_search", "max_uses": 2},
        ],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "from_the_future": [2, {"a": None}],
    }
    sent = {"anthropic-version": "2024-01-01", "anthropic-beta": "a-2025-01-01,b-2026-01-01"}
    body = {**ASKED, **asked}
    raw = json.dumps({**body, "emafusion": {"session": "s"}}).encode().replace(b"[2,", b"[2.00,")
    said = send(claude, "POST", "/v1/messages?beta=true", raw, sent)
    assert said.status == 200
    assert provider.seen == [body]
    assert b"[2.00," in provider.raw[0]
    head = provider.heads[0]
    assert sent.items() <= head.items()
    assert (head[":path"], head[":query"]) == ("/v1/messages", "beta=true")


def test_a_message_comes_back_as_it_came(claude: Gateway, provider: Provider) -> None:
    """Whole, with its own id and unknown fields; ours are beside them, and in the headers."""
    provider.canned["/messages"] = says.whole()
    said = ask(claude)
    body = said.body
    ours = body.pop("emafusion")
    assert body == says.MESSAGE
    assert said.headers["request-id"] == said.headers["x-emafusion-decision-id"]
    assert ours["cost_usd"] > 0


def test_a_stream_comes_back_as_it_came(claude: Gateway, provider: Provider) -> None:
    """Event by event; how it ended comes after the row is in the log, with our facts."""
    provider.canned["/messages"] = says.streamed()
    said = ask(claude, stream=True)
    got = events(said)
    ours = got[-2].pop("emafusion")
    assert ours["model"] == says.MODEL
    assert got == [event for event in says.events() if event["type"] != "ping"]
    assert rows(claude) == [200]


def test_the_official_client_talks_to_a_model_of_openai(
    client: anthropic.Anthropic, provider: Provider
) -> None:
    """Whole and streamed; the blocks and the end are Anthropic's, the counts are told."""
    whole = client.messages.create(
        model="cheap",
        max_tokens=9,
        system="Be brief.",
        messages=[{"role": "user", "content": "Hi"}],
    )
    with client.messages.stream(
        model="cheap", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
    ) as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_message()
    assert (whole.model, whole.stop_reason) == ("cheap", "end_turn")
    assert [block.to_dict()["text"] for block in whole.content] == ["echo of Hi"]
    assert whole.usage.input_tokens == 100
    assert provider.seen[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [block.to_dict()["text"] for block in streamed.content] == ["echo of Hi"]
    assert (streamed.usage.input_tokens, streamed.usage.output_tokens) == (100, 3)
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")


def test_tools_go_round(client: anthropic.Anthropic, provider: Provider) -> None:
    """A call of a model of OpenAI is a block with an object, and its result goes back to it."""
    call = {"id": "call_1", "type": "function"}
    called = {**call, "function": {"name": "look_up", "arguments": '{"city": "Oslo"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [called]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    said = {"id": "x", "object": "chat.completion", "model": "cheap", "choices": [choice]}
    provider.canned["/chat/completions"] = ("application/json", json.dumps(said).encode())
    schema: dict[str, object] = {"type": "object", "properties": {}}
    tool = anthropic.types.ToolParam(name="look_up", input_schema=schema)
    first = client.messages.create(
        model="cheap",
        max_tokens=9,
        messages=[{"role": "user", "content": "Hi"}],
        tools=[tool],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
    )
    assert first.stop_reason == "tool_use"
    assert first.content[0].to_dict() == {
        "type": "tool_use", "id": "call_1", "name": "look_up", "input": {"city": "Oslo"},
    }  # fmt: skip
    provider.canned.clear()
    result = anthropic.types.ToolResultBlockParam(
        type="tool_result", tool_use_id="call_1", content="rain"
    )
    client.messages.create(
        model="cheap",
        max_tokens=9,
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [first.content[0]]},
            {"role": "user", "content": [result, {"type": "text", "text": "And?"}]},
        ],
        tools=[tool],
    )
    asked = provider.seen[1]["messages"]
    assert provider.seen[0]["tool_choice"] == "required"
    assert provider.seen[0]["parallel_tool_calls"] is False
    (again,) = asked[1]["tool_calls"]
    assert json.loads(again["function"].pop("arguments")) == {"city": "Oslo"}
    assert again == {**call, "function": {"name": "look_up"}}
    assert asked[2] == {"role": "tool", "tool_call_id": "call_1", "content": "rain"}
    assert asked[3] == {"role": "user", "content": "And?"}


def test_what_a_model_cannot_be_told_is_told(start_gateway: StartGateway) -> None:
    """What changes the answer is refused by name, what does not is left out and named."""
    gateway = start_gateway()
    lost = ask(gateway, model="cheap", top_k=3, cache_control={"type": "ephemeral"})
    refused = ask(gateway, model="cheap", container="c")
    nobody = ask(gateway, model="auto", mcp_servers=[{"name": "x"}])
    assert lost.headers["x-emafusion-dropped"] == "cache_control,top_k"
    assert (refused.status, refused.body["error"]["type"]) == (400, "invalid_request_error")
    assert "container" in refused.body["error"]["message"]
    assert nobody.status == 400
    assert "mcp_servers" in nobody.body["error"]["message"]


def test_a_stream_that_breaks_ends_in_an_error(claude: Gateway, provider: Provider) -> None:
    """No end is made up: neither a reason nor a stop."""
    provider.canned["/messages"] = says.streamed(says.events()[:11])
    got = events(ask(claude, stream=True))
    kinds = [event["type"] for event in got]
    assert kinds[-1] == "error"
    assert {"message_delta", "message_stop"}.isdisjoint(kinds)
    assert set(got[-1]["error"]) == {"type", "message"}


def test_errors_of_the_upstream_keep_their_meaning(
    start_gateway: StartGateway, provider: Provider
) -> None:
    """By status and type, as Anthropic's clients know them."""
    provider.script = {"cheap": "status:429"}
    with anthropic.Anthropic(base_url=start_gateway().url, api_key="k", max_retries=0) as client:
        with pytest.raises(anthropic.RateLimitError) as limited:
            client.messages.create(**{**ASKED, "model": "cheap"})
        with pytest.raises(anthropic.NotFoundError, match=r"did you mean 'cheap'"):
            client.messages.create(**{**ASKED, "model": "cheep"})
    assert limited.value.type == "rate_limit_error"


def test_either_header_opens(start_gateway: StartGateway) -> None:
    """The key may come as `x-api-key` or as a bearer token; without one it is this API's error."""
    gateway = start_gateway(keys=("k",))
    mine = {**ASKED, "model": "cheap"}
    assert ask(gateway, {"x-api-key": "k"}, **mine).status == 200
    assert ask(gateway, {"authorization": "Bearer k"}, **mine).status == 200
    denied = ask(gateway)
    assert (denied.status, denied.body["error"]["type"]) == (401, "authentication_error")


def test_tokens_are_counted(start_gateway: StartGateway, provider: Provider) -> None:
    """By Anthropic where the model is one of its own, else by our estimate, which says so."""
    gateway = start_gateway(models=CLAUDE + CHEAP_AND_DEAR)
    provider.canned["/count_tokens"] = ("application/json", b'{"input_tokens": 14}')
    asked = {"messages": ASKED["messages"], "system": "Be brief."}

    def count(model: str) -> Said:
        body = json.dumps({"model": model, **asked}).encode()
        return send(gateway, "POST", "/v1/messages/count_tokens", body, {"anthropic-beta": "b"})

    theirs, ours = count(says.MODEL), count("auto")
    assert theirs.body == {"input_tokens": 14}
    assert theirs.headers["x-emafusion-counted-by"] == says.MODEL
    assert provider.seen == [{"model": says.MODEL, **asked}]
    assert provider.heads[0]["anthropic-beta"] == "b"
    assert 8 <= ours.body["input_tokens"] <= 25
    assert ours.headers["x-emafusion-counted-by"] == "estimate"
