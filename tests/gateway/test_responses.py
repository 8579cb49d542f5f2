"""The Responses API, by the official client and by hand, against a real gateway."""

from __future__ import annotations

import json
import re

import openai
import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import Body, Said, rows, send

WEATHER: dict[str, object] = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    """The official client."""
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)


def ask(gateway: Gateway, **fields: object) -> Said:
    """Ask by hand; the usual question where the fields say nothing else."""
    body = {"model": "cheap", "input": "What is the capital of Norway?", **fields}
    return send(gateway, "POST", "/v1/responses", json.dumps(body).encode())


def test_a_whole_answer(client: openai.OpenAI, provider: Provider, gateway: Gateway) -> None:
    """A text in, a text out, by the model that answered, with usage; logged like any other."""
    provider.script["cheap"] = "Oslo"
    response = client.responses.create(model="cheap", input="What is the capital of Norway?")
    assert response.output_text == "Oslo"
    assert (response.status, response.model) == ("completed", "cheap")
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (100, 1)
    assert provider.seen[0]["messages"] == [
        {"role": "user", "content": "What is the capital of Norway?"}
    ]
    assert rows(gateway) == [200]


def test_it_is_routed_and_judged(client: openai.OpenAI) -> None:
    """`auto` is answered by a model of the pool, and the response says so."""
    response = client.responses.create(model="auto", input="What is the capital of Norway?")
    assert response.model in {"cheap", "dear"}
    assert response.model_extra is not None
    assert response.model_extra["emafusion"]["attempts"] >= 1


def test_instructions_tools_and_shape_reach_the_model(
    client: openai.OpenAI, provider: Provider
) -> None:
    """What is asked goes on by the names that chat completions have for it."""
    client.responses.create(  # type: ignore[call-overload] # the tool is a plain dict
        model="cheap",
        instructions="Be brief.",
        input=[
            {"role": "user", "content": "Weather?"},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        ],
        tools=[WEATHER],
        tool_choice="auto",
        reasoning={"effort": "low"},
        max_output_tokens=50,
        text={"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}},
        temperature=0.5,
        metadata={"a": "b"},
    )
    sent = provider.seen[0]
    assert [turn["role"] for turn in sent["messages"]] == ["system", "user", "assistant", "tool"]
    assert sent["messages"][2]["tool_calls"][0]["function"]["name"] == "weather"
    assert sent["tools"][0]["function"]["name"] == "weather"
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (sent["reasoning_effort"], sent["max_tokens"], sent["temperature"]) == ("low", 50, 0.5)
    assert "metadata" not in sent
    assert "store" not in sent


def test_a_stream_has_the_full_grammar(client: openai.OpenAI, provider: Provider) -> None:
    """Events are numbered, items begin and end, and the last event has the whole response."""
    provider.script["cheap"] = "Oslo it is"
    with client.responses.create(model="cheap", input="?", stream=True) as stream:
        events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    said = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    last = events[-1]
    assert last.type == "response.completed"
    assert said == last.response.output_text == "Oslo it is"


@pytest.mark.parametrize("stream", [False, True])
def test_it_is_kept_and_goes_on(client: openai.OpenAI, provider: Provider, stream: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What was kept is found by its id, and the next question comes after it."""
    provider.script["cheap"] = "Oslo"
    if stream:
        with client.responses.create(model="cheap", input="Capital?", stream=True) as events:
            last = list(events)[-1]
        assert last.type == "response.completed"
        first = last.response
    else:
        first = client.responses.create(model="cheap", input="Capital?")
    assert client.responses.retrieve(first.id).model_dump() == first.model_dump()
    items = client.responses.input_items.list(first.id).data
    assert items[0].model_dump()["content"][0]["text"] == "Capital?"
    second = client.responses.create(
        model="cheap", input="And of Sweden?", previous_response_id=first.id
    )
    third = client.responses.create(
        model="cheap", input="And of Denmark?", previous_response_id=second.id
    )
    assert third.previous_response_id == second.id
    said = [turn["content"] for turn in provider.seen[-1]["messages"]]
    assert said == ["Capital?", "Oslo", "And of Sweden?", "Oslo", "And of Denmark?"]
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError, match="beginning"):
        client.responses.create(model="cheap", input="?", previous_response_id=third.id)


def test_what_is_not_to_be_kept_is_not(client: openai.OpenAI) -> None:
    """`store: false` keeps nothing."""
    response = client.responses.create(model="cheap", input="?", store=False)
    assert response.model_extra is not None
    assert response.model_extra["store"] is False
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_a_gateway_that_keeps_no_prompts_keeps_no_responses(start_gateway: StartGateway) -> None:
    """With `prompts: hash` nothing is kept, the response says so, and insisting is refused."""
    gateway = start_gateway("log: {prompts: hash}\n")
    said = ask(gateway)
    assert said.body["store"] is False
    assert send(gateway, "GET", f"/v1/responses/{said.body['id']}").status == 404
    assert ask(gateway, store=True).error["param"] == "store"


def test_what_one_key_keeps_no_other_sees(start_gateway: StartGateway) -> None:
    """Responses belong to the key that made them."""
    gateway = start_gateway(keys=("one", "two"))
    one, two = ({"authorization": f"Bearer {key}"} for key in ("one", "two"))
    body = json.dumps({"model": "cheap", "input": "?"}).encode()
    made = send(gateway, "POST", "/v1/responses", body, one).body["id"]
    for method in ("GET", "DELETE"):
        assert send(gateway, method, f"/v1/responses/{made}", headers=two).status == 404
    again = json.dumps({"model": "cheap", "input": "?", "previous_response_id": made}).encode()
    assert send(gateway, "POST", "/v1/responses", again, two).status == 404
    assert send(gateway, "GET", f"/v1/responses/{made}", headers=one).status == 200


def test_items_may_be_named(client: openai.OpenAI, provider: Provider) -> None:
    """An item that is kept here need not be sent again."""
    provider.script["cheap"] = "Oslo"
    first = client.responses.create(model="cheap", input="Capital?")
    client.responses.create(
        model="cheap",
        input=[
            {"role": "user", "content": "Capital?"},
            {"type": "item_reference", "id": first.output[0].id or ""},
            {"role": "user", "content": "Sure?"},
        ],
    )
    said = [turn["content"] for turn in provider.seen[-1]["messages"]]
    assert said == ["Capital?", "Oslo", "Sure?"]


REFUSED: list[tuple[Body, str]] = [
    ({"input": None}, "input"),
    ({"input": []}, "input"),
    ({"input": 7}, "input"),
    ({"input": [{"role": "user"}]}, "input[0].content"),
    ({"input": [{"role": "judge", "content": "?"}]}, "input[0].role"),
    ({"input": [{"type": "computer_call", "call_id": "c"}]}, "input[0].type"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": ""}]},
     "input[0].call_id"),
    ({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}]},
     "input[0]"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
     "input[0].content[0].file_id"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "http://x"}]}]},
     "input[0].content[0].file_url"),
    ({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}]},
     "input[0].encrypted_content"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}, "tools[0].type"),
    ({"tools": [{"type": "function"}]}, "tools[0].name"),
    ({"tools": [{"type": "function", "name": "f", "parameters": 3}]}, "tools[0].parameters"),
    ({"tools": [WEATHER], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice"),
    ({"tools": [WEATHER], "tool_choice": {"type": "web_search"}}, "tool_choice.type"),
    ({"background": True}, "background"),
    ({"conversation": "conv_1"}, "conversation"),
    ({"prompt": {"id": "p"}}, "prompt"),
    ({"context_management": [{"type": "compaction"}]}, "context_management"),
    ({"include": ["everything"]}, "include"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"temperature": 9}, "temperature"),
    ({"text": {"format": {"type": "json_schema"}}}, "text.format.name"),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
    ({"reasoning": {"effort": "some"}}, "reasoning.effort"),
    ({"reasoning": {"context": "all_turns"}}, "reasoning.context"),
    ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
    ({"tools": [{**WEATHER, "allowed_callers": ["program"]}]}, "tools[0].allowed_callers"),
    ({"tools": [{**WEATHER, "defer_loading": True}]}, "tools[0].defer_loading"),
    ({"metadata": {"a": 1}}, "metadata"),
    ({"previous_response_id": "resp_none"}, "previous_response_id"),
    ({"messages": []}, "messages"),
    ({"max_tokens": 5}, "max_tokens"),
    ({"n": 2}, "n"),
    ({"model": ""}, "model"),
    ({"model": "nobody"}, "model"),
    ({"stream": "yes"}, "stream"),
    ({"store": 1}, "store"),
]  # fmt: skip


def test_what_cannot_be_done_is_refused(gateway: Gateway, provider: Provider) -> None:
    """By the name of its field, at once, and without asking anybody."""
    for fields, where in REFUSED:
        said = ask(gateway, **fields)
        assert said.status in {400, 404}, said.raw
        assert said.error["param"].startswith(where), (where, said.raw)
    assert not provider.seen


def test_a_failure_is_told_as_one(gateway: Gateway, provider: Provider) -> None:
    """Before a word was said by the status; nothing is kept of it."""
    provider.script["cheap"] = "status:503"
    said = ask(gateway)
    assert said.status == 503
    assert said.error["message"]


def test_an_answer_is_given_where_it_cannot_be_kept(gateway: Gateway) -> None:
    """It was paid for; the response says that it is not kept."""
    shelf = gateway.log.with_name("log-shelf.sqlite")
    shelf.mkdir()
    said = ask(gateway, store=True)
    assert said.status == 200
    assert said.body["store"] is False
    streamed = ask(gateway, stream=True)
    assert b"response.completed" in streamed.raw
    assert send(gateway, "GET", f"/v1/responses/{said.body['id']}").status == 503


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_that_is_repeated_has_one_response(gateway: Gateway, *, stream: bool) -> None:
    """Under one idempotency key it is answered once, by one id, in every event."""
    body = json.dumps({"model": "cheap", "input": "?", "stream": stream}).encode()
    once = {"idempotency-key": "k1"}
    said = [send(gateway, "POST", "/v1/responses", body, once) for _ in range(2)]
    ids = [set(re.findall(rb'"id":"(resp_[0-9a-f]+)"', each.raw)) for each in said]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 1
    assert rows(gateway) == [200]


def test_a_stream_that_breaks_off_is_no_answer(
    client: openai.OpenAI, provider: Provider, start_gateway: StartGateway
) -> None:
    """The client raises; nothing is kept of half an answer."""
    provider.script["cheap"] = "slow:Oslo it is, as everybody knows"
    gateway = start_gateway("gateway: {request_timeout_s: 0.5}\n")
    client = client.with_options(base_url=f"{gateway.url}/v1")
    kinds = []
    with (
        pytest.raises(openai.APIError, match="deadline"),
        client.responses.create(model="cheap", input="?", stream=True) as events,
    ):
        kinds += [event.type for event in events]
    with client.responses.with_streaming_response.create(
        model="cheap", input="?", stream=True
    ) as raw:
        text = raw.text()
    assert "response.failed" in text
    assert "response.completed" not in text


TOOL_CALL = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "cheap",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "reasoning_content": "I should look.",
                "tool_calls": [
                    {
                        "id": "call_7",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
                    }
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}


@pytest.mark.parametrize("keeps", [False, True], ids=["stateless", "kept"])
def test_a_tool_loop(client: openai.OpenAI, provider: Provider, *, keeps: bool) -> None:
    """A call comes, its output goes, with what was thought, whether or not it is kept here."""
    provider.canned["/chat/completions"] = ("application/json", json.dumps(TOOL_CALL).encode())
    asked: Body = {"model": "cheap", "tools": [WEATHER], "store": keeps}
    if not keeps:
        asked["include"] = ["reasoning.encrypted_content"]
    first = client.responses.create(input="Weather in Oslo?", **asked)
    thought, call = first.output
    assert (thought.type, call.type) == ("reasoning", "function_call")
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Oslo"}
    provider.canned.clear()
    provider.script["cheap"] = "Rain."
    answer = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    if keeps:
        asked |= {"input": [answer], "previous_response_id": first.id}
    else:
        said = [item.model_dump(exclude_none=True) for item in first.output]
        for item in said:
            item.pop("content", None)  # as clients do that know only the sealed form
        asked |= {"input": [{"role": "user", "content": "Weather in Oslo?"}, *said, answer]}
    second = client.responses.create(**asked)
    assert second.output_text == "Rain."
    assert provider.seen[-1]["messages"] == [
        {"role": "user", "content": "Weather in Oslo?"},
        {
            "role": "assistant",
            "reasoning_content": "I should look.",
            "tool_calls": TOOL_CALL["choices"][0]["message"]["tool_calls"],  # type: ignore[index] # plain JSON
        },
        {"role": "tool", "tool_call_id": "call_7", "content": "rain"},
    ]


def test_the_clients_own_helper_reads_the_stream(client: openai.OpenAI, provider: Provider) -> None:
    """It puts the response together from the events, and finds it whole."""
    provider.script["cheap"] = "Oslo it is"
    with client.responses.stream(model="cheap", input="?") as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    assert final.output_text == "Oslo it is"
    assert final.status == "completed"
