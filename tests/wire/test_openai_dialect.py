"""The OpenAI dialect towards servers: requests, replies and streams."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import msgspec
import pytest

from emafusion.domain.attempt import Choice, Delta, TokenLogprob, ToolDelta, Usage
from emafusion.domain.command import Call
from emafusion.domain.errors import Failure, Garbled, Overloaded, RateLimited
from emafusion.domain.model import Candidate, Model
from emafusion.domain.query import (
    ImagePart,
    Message,
    OpaquePart,
    Query,
    Settings,
    TextPart,
    Tool,
    ToolCall,
    ask,
)
from emafusion.wire.openai import OpenAIDialect, decode_query
from emafusion.wire.sse import SseEvent, SseParser

Json = dict[str, object]
DIALECT = OpenAIDialect()


def query_of(**fields: object) -> Query:
    """A query as a client sends it."""
    hello = [{"role": "user", "content": "Hello"}]
    body = msgspec.json.encode({"model": "auto", "messages": hello} | fields)
    return decode_query(body, query_id="q1")


def sent(query: Query, to: str = "llama-3.3-70b", *, stream: bool = False) -> Json:
    """The body that goes to the server."""
    model = Model(name=to, provider="openai")
    candidate = Candidate(name=to, model=model, deployment="d", remote_name=to)
    request = DIALECT.request(Call(candidate=candidate, query=query), stream=stream)
    assert request.path == "/chat/completions"
    return cast("Json", msgspec.json.decode(request.body))


def read(*events: str) -> list[Delta]:
    """Deltas of a stream of these events."""
    reader, parser = DIALECT.reader(), SseParser()
    data = "".join(f"data: {event}\n\n" for event in events).encode()
    return [delta for event in parser.feed(data) for delta in reader.feed(event)]


def reply_body(message: Json, **fields: object) -> bytes:
    """A reply with one choice."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return msgspec.json.encode({"id": "x", "model": "m", "choices": [choice]} | fields)


def test_a_query_goes_out_as_it_came() -> None:
    """Unknown fields and parts are kept; only the model and our own object are touched."""
    fields: Json = {
        "messages": [
            {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "x"}}]}
        ],
        "top_k": 5,
        "logit_bias": {"1": 2},
        "emafusion": {"session": "s"},
        "stream": True,
        "stream_options": {"include_usage": False},
        "max_tokens": 9,
    }
    kept = {name: fields[name] for name in ("messages", "top_k", "logit_bias", "max_tokens")}
    assert sent(query_of(**fields)) == {"model": "llama-3.3-70b"} | kept


def test_a_stream_always_asks_for_usage() -> None:
    """Without usage the cost of a stream would be unknown; other stream options stay."""
    query = query_of(stream_options={"include_obfuscation": False, "include_usage": False})
    body = sent(query, stream=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert "stream" not in sent(query)


@pytest.mark.parametrize(
    ("model", "limit", "role"),
    [
        ("gpt-5-mini", "max_completion_tokens", "developer"),
        ("openai/o4-mini", "max_completion_tokens", "developer"),
        ("gpt-oss-120b", "max_tokens", "system"),
        ("qwen3-32b", "max_tokens", "system"),
    ],
)
def test_a_servers_own_names_are_used(model: str, limit: str, role: str) -> None:
    """The limit and the developer's role are called as the model's server knows them."""
    messages = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    for name in ("max_tokens", "max_completion_tokens"):
        body = sent(query_of(messages=messages, **{name: 7}), model)
        assert {key: body[key] for key in body if key.startswith("max_")} == {limit: 7}
        assert cast("list[Json]", body["messages"])[0] == {"role": role, "content": "Be brief."}


def test_a_query_of_ours_is_written_from_its_nouns() -> None:
    """A judge's query, which no client sent, has everything the nouns hold."""
    query = Query(
        query_id="q",
        messages=(
            Message(role="system", parts=(TextPart(text="Judge."),)),
            Message(
                role="user",
                parts=(
                    TextPart(text="Look"),
                    ImagePart(url="https://x/y.png", detail="low"),
                    OpaquePart(kind="thinking", raw=b"{}"),
                ),
            ),
            Message(role="assistant", tool_calls=(ToolCall(id="c", name="f", arguments="{}"),)),
            Message(role="tool", parts=(TextPart(text="42"),), tool_call_id="c"),
        ),
        tools=(Tool(name="f", description="d", schema=b'{"type":"object"}', strict=True),),
        settings=Settings(
            max_tokens=5, temperature=0.0, stop=("a",), seed=1, logprobs=True, tool_choice="tool:f"
        ),
    )
    assert sent(query) == {
        "model": "llama-3.3-70b",
        "messages": [
            {"role": "system", "content": "Judge."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "content": "42", "tool_call_id": "c"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "d",
                    "parameters": {"type": "object"},
                    "strict": True,
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "max_tokens": 5,
        "temperature": 0.0,
        "stop": ["a"],
        "seed": 1,
        "logprobs": True,
    }
    assert DIALECT.unsupported(query) == ("messages[1].content",)


def test_nouns_and_bytes_say_the_same() -> None:
    """Written from nouns or passed on, a query reads back equal."""
    query = query_of(
        temperature=0.5,
        response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": {"a": 1}}},
        tools=[{"type": "function", "function": {"name": "f"}}],
        user="u",
        n=2,
    )
    again = decode_query(msgspec.json.encode(sent(replace(query, origin=None))), query_id="q1")
    assert replace(again, origin=None, requested="auto") == replace(query, origin=None)


def test_a_key_is_a_bearer_token() -> None:
    """No header is sent for a server without a key."""
    assert DIALECT.auth("k") == (("authorization", "Bearer k"),)
    assert DIALECT.auth("") == ()


def test_a_reply_is_read_whole() -> None:
    """Choices in order, calls, refusal, log-probabilities and usage; the bytes are kept."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    body = msgspec.json.encode(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "gpt-5-mini-2025-08-07",
            "choices": [
                {
                    "index": 1,
                    "message": {"role": "assistant", "content": None, "refusal": "No."},
                    "finish_reason": "content_filter",
                },
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hi", "tool_calls": [call]},
                    "logprobs": {"content": [{"token": "Hi", "logprob": -0.5, "top_logprobs": []}]},
                    "finish_reason": "tool_calls",
                },
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
            "service_tier": "default",
        }
    )
    reply = DIALECT.reply(body)
    assert reply.choices == (
        Choice(
            text="Hi",
            tool_calls=(ToolCall(id="c", name="f", arguments='{"a":1}'),),
            finish_reason="tool_calls",
            logprobs=(TokenLogprob(token="Hi", logprob=-0.5),),
        ),
        Choice(finish_reason="content_filter", refusal="No."),
    )
    assert (reply.model, reply.usage) == (
        "gpt-5-mini-2025-08-07",
        Usage(prompt_tokens=9, completion_tokens=2),
    )
    assert reply.origin is not None
    assert dict(reply.origin.fields)["service_tier"] == b'"default"'


@pytest.mark.parametrize(
    ("message", "choice"),
    [
        ({"content": "a", "reasoning_content": "r"}, Choice(text="a", reasoning="r")),
        ({"content": "a", "reasoning": "r"}, Choice(text="a", reasoning="r")),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "r"}]},
                    {"type": "text", "text": "a"},
                ]
            },
            Choice(text="a", reasoning="r"),
        ),
        (
            {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
            Choice(tool_calls=(ToolCall(id="call_0", name="f", arguments="{}"),)),
        ),
        (
            {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
            Choice(tool_calls=(ToolCall(id="call_0", name="f", arguments='{"a":1}'),)),
        ),
        (
            {"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}]},
            Choice(tool_calls=(ToolCall(id="c", name="f", arguments="x"),)),
        ),
    ],
)
def test_dialects_of_the_dialect_are_read(message: Json, choice: Choice) -> None:
    """DeepSeek, OpenRouter, Mistral, Ollama and the old functions write some things their way."""
    assert DIALECT.reply(reply_body(message)).choices == (choice,)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"choices": []}', b'{"choices": 3}'])
def test_a_reply_that_cannot_be_read_is_garbled(body: bytes) -> None:
    """It is a failure, never a bug."""
    with pytest.raises(Garbled):
        DIALECT.reply(body)


def test_an_error_in_a_good_status_is_an_error() -> None:
    """Relays answer 200 and put the provider's error into the body."""
    with pytest.raises(RateLimited, match="slow down"):
        DIALECT.reply(b'{"error": {"code": 429, "message": "slow down"}}')
    with pytest.raises(Overloaded):
        DIALECT.reply(reply_body({"content": ""}).replace(b'"stop"', b'"error"'))


CHUNK = '{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s]}'


def test_a_stream_is_read() -> None:
    """Text, tool fragments, log-probabilities, the end and the usage, one delta an event."""
    scores = '{"content":[{"token":"Hi","logprob":-1}]}'
    first = '{"index":0,"id":"c","function":{"name":"f","arguments":""}}'
    second = '{"index":0,"function":{"arguments":"{}"}}'
    events = [
        CHUNK % '{"index":0,"delta":{"role":"assistant","content":""}}',
        CHUNK % f'{{"index":0,"delta":{{"content":"Hi"}},"logprobs":{scores}}}',
        CHUNK % f'{{"index":0,"delta":{{"tool_calls":[{first}]}}}}',
        CHUNK % f'{{"index":0,"delta":{{"tool_calls":[{second}]}}}}',
        CHUNK % '{"index":0,"delta":{},"finish_reason":"tool_calls"}',
        CHUNK % "",
        '{"choices":[],"model":"m","usage":{"prompt_tokens":3,"completion_tokens":1}}',
    ]
    deltas = read(*events)
    assert [delta.raw for delta in deltas] == [event.encode() for event in events]
    assert [delta.text for delta in deltas] == ["", "Hi", "", "", "", "", ""]
    assert deltas[1].logprobs == (TokenLogprob(token="Hi", logprob=-1.0),)
    assert deltas[2].tools == (ToolDelta(index=0, id="c", name="f"),)
    assert deltas[3].tools == (ToolDelta(index=0, arguments="{}"),)
    assert deltas[4].finish_reason == "tool_calls"
    assert deltas[6].usage == Usage(prompt_tokens=3, completion_tokens=1)


def test_the_end_of_a_stream_is_known() -> None:
    """After the finish reason nothing is lost any more, after the marker nothing comes."""
    reader, parser = DIALECT.reader(), SseParser()
    states = []
    for event in (
        CHUNK % '{"index":0,"delta":{"content":"Hi"}}',
        CHUNK % '{"index":1,"delta":{"content":"Hi"}}',
        CHUNK % '{"index":0,"delta":{},"finish_reason":"stop"}',
        CHUNK % '{"index":1,"delta":{},"finish_reason":"stop"}',
        "[DONE]",
    ):
        for parsed in parser.feed(f"data: {event}\n\n".encode()):
            reader.feed(parsed)
        states.append((reader.complete, reader.done))
    assert states == [(False, False)] * 3 + [(True, False), (True, True)]


def test_an_end_without_an_answer_is_none() -> None:
    """The marker alone ends nothing: an empty answer is not made up."""
    reader = DIALECT.reader()
    reader.feed(SseEvent("message", b"[DONE]"))
    assert (reader.done, reader.complete) == (True, False)


def test_what_clients_would_stumble_over_is_not_passed_on() -> None:
    """No choices at all, or a choice without a delta, as some servers send."""
    assert read('{"id": "c", "choices": null}') == []
    (empty,) = read(CHUNK % '{"index":0,"delta":null,"finish_reason":"stop"}')
    assert (empty.raw, empty.finish_reason) == (None, "stop")


def test_several_answers_in_one_chunk_are_told_apart() -> None:
    """Each becomes a delta with a chunk of its own."""
    choices = ",".join(f'{{"index":{n},"delta":{{"content":"{n}"}}}}' for n in range(2))
    deltas = read(CHUNK % choices)
    assert [(delta.choice, delta.text) for delta in deltas] == [(0, "0"), (1, "1")]
    assert [len(msgspec.json.decode(delta.raw or b"")["choices"]) for delta in deltas] == [1, 1]


def test_tool_fragments_without_an_index_are_told_apart() -> None:
    """A new id starts a new call."""
    fragment = '{"index":0,"delta":{"tool_calls":[%s]}}'
    deltas = read(
        CHUNK % fragment % '{"id":"a","function":{"name":"f","arguments":"{"}}',
        CHUNK % fragment % '{"function":{"arguments":"}"}}',
        CHUNK % fragment % '{"id":"b","function":{"name":"g","arguments":"{}"}}',
    )
    assert [delta.tools[0].index for delta in deltas] == [0, 0, 1]


@pytest.mark.parametrize(
    ("event", "failure"),
    [
        ('{"error":{"message":"busy","type":"server_error"}}', Overloaded),
        ('{"error":{"message":"slow","code":429}}', RateLimited),
        ('{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}', Overloaded),
        ("{", Garbled),
        ('{"choices":"x"}', Garbled),
    ],
)
def test_a_stream_that_breaks_fails_fittingly(event: str, failure: type[Failure]) -> None:
    """An error event or one that cannot be read ends the attempt."""
    with pytest.raises(failure):
        read(event)


def test_a_plain_question_goes_out_plainly() -> None:
    """Nothing is sent that was not said."""
    assert sent(ask("Hello")) == {
        "model": "llama-3.3-70b",
        "messages": [{"role": "user", "content": "Hello"}],
    }
