"""The Anthropic dialect: requests, replies and streams."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from emafusion.domain.attempt import Choice, Delta, Reply, Usage
from emafusion.domain.command import Call
from emafusion.domain.errors import Garbled, Overloaded
from emafusion.domain.model import Ability, Candidate, Model
from emafusion.domain.query import Query, ToolCall
from emafusion.wire.accumulate import Accumulator
from emafusion.wire.anthropic import AnthropicDialect
from emafusion.wire.anthropic.schema import strict_schema
from emafusion.wire.openai import decode_query
from emafusion.wire.sse import SseParser

Json = dict[str, object]
DIALECT = AnthropicDialect()
OLD, NEW = "claude-sonnet-4-20250514", "claude-opus-5-5"


def query_of(**fields: object) -> Query:
    """A query as OpenAI's clients send it."""
    hello = [{"role": "user", "content": "Hello"}]
    body = msgspec.json.encode({"model": "auto", "messages": hello} | fields)
    return decode_query(body, query_id="q1")


def candidate(name: str, *abilities: Ability, limit: int | None = None) -> Candidate:
    """A candidate of that name."""
    model = Model(
        name=name,
        provider="anthropic",
        abilities=frozenset(abilities),
        max_completion_tokens=limit,
    )
    return Candidate(name=name, model=model, deployment="d", remote_name=name)


def sent(query: Query, to: Candidate | None = None, *, stream: bool = False) -> Json:
    """The body that goes to Anthropic."""
    call = Call(candidate=to or candidate(OLD), query=query)
    request = DIALECT.request(call, stream=stream)
    assert request.path == "/messages"
    assert ("anthropic-version", "2023-06-01") in request.headers
    return cast("Json", msgspec.json.decode(request.body))


def test_a_plain_question_goes_out_plainly() -> None:
    """Nothing is sent that was not said, but the limit that the API wants."""
    assert sent(query_of()) == {
        "model": OLD,
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }
    assert sent(query_of(), candidate(OLD, limit=8192))["max_tokens"] == 8192
    assert sent(query_of(max_completion_tokens=5), stream=True) | {"stream": True} == sent(
        query_of(max_tokens=5), stream=True
    )


def test_a_conversation_becomes_turns() -> None:
    """System apart, neighbours merged, tool results in the user's turn, empty text left out."""
    png = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    web = {"type": "image_url", "image_url": {"url": "https://x/y.jpg"}}
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD"}}
    call = {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": ""}}
    odd = {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "not json"}}
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Look"}, png, web, pdf]},
        {"role": "assistant", "content": "", "tool_calls": [call, odd]},
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "42"},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
        {"role": "developer", "content": "In German."},
        {"role": "user", "content": "Go on"},
    ]
    body = sent(query_of(messages=messages))
    assert body["system"] == "Be brief.\n\nIn German."
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"},
                },
                {"type": "image", "source": {"type": "url", "url": "https://x/y.jpg"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "functions_f_0", "name": "f", "input": {}},
                {
                    "type": "tool_use",
                    "id": "c2",
                    "name": "g",
                    "input": {"arguments": "not json"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "functions_f_0",
                    "content": [{"type": "text", "text": "42"}],
                },
                {"type": "tool_result", "tool_use_id": "c2"},
                {"type": "text", "text": "Go on"},
            ],
        },
    ]


TOOLS = [
    {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"foo": 1}}},
    {"type": "function", "function": {"name": "g"}},
]


def test_tools_have_a_schema_of_an_object() -> None:
    """The API wants a type on top, which clients leave out."""
    assert sent(query_of(tools=TOOLS))["tools"] == [
        {"name": "f", "description": "d", "input_schema": {"type": "object", "foo": 1}},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
    ]


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"type": "function", "function": {"name": "f"}},
            False,
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_the_choice_of_tools_is_carried(
    choice: object, parallel: object, written: Json | None
) -> None:
    """Also that only one may be called at a time."""
    query = query_of(tools=TOOLS, tool_choice=choice, parallel_tool_calls=parallel)
    assert sent(query).get("tool_choice") == written


def test_sampling_goes_where_it_is_taken() -> None:
    """Older models take temperature (to 1) or top_p; newer ones refuse both."""
    query = query_of(temperature=1.5, top_p=0.5, stop=["END", "\n"], user="u")
    old, new = sent(query), sent(query, candidate(NEW))
    assert (old["temperature"], "top_p" in old) == (1.0, False)
    assert (old["stop_sequences"], old["metadata"]) == (["END"], {"user_id": "u"})
    assert "temperature" not in new
    assert "top_p" not in new
    assert sent(query_of(top_p=0.5))["top_p"] == 0.5
    assert DIALECT.unsupported(query) == ("stop", "temperature", "top_p")
    assert DIALECT.unsupported(query_of(temperature=0.5)) == ()
    assert DIALECT.unsupported(query_of(temperature=0.5), candidate(NEW)) == ("temperature",)


@pytest.mark.parametrize(
    ("name", "effort", "fields", "thinking", "config"),
    [
        (OLD, "low", {}, {"type": "enabled", "budget_tokens": 2048}, None),
        (OLD, "high", {"max_tokens": 4096}, {"type": "enabled", "budget_tokens": 2048}, None),
        (OLD, "high", {"max_tokens": 1500}, None, None),
        (OLD, "none", {}, None, None),
        (OLD, "high", {"tools": TOOLS, "tool_choice": "required"}, None, None),
        (NEW, "medium", {}, {"type": "adaptive"}, {"effort": "medium"}),
        (NEW, "xhigh", {}, {"type": "adaptive"}, {"effort": "xhigh"}),
        ("claude-opus-4-6", "xhigh", {}, {"type": "adaptive"}, {"effort": "high"}),
        (NEW, "none", {}, None, {"effort": "low"}),
    ],
)
def test_effort_becomes_thinking(
    name: str, effort: str, fields: Json, thinking: Json | None, config: Json | None
) -> None:
    """As a budget for older models, as an effort for newer ones; sampling gives way."""
    query = query_of(reasoning_effort=effort, temperature=0.2, **fields)
    body = sent(query, candidate(name, "reasoning"))
    assert body.get("thinking") == thinking
    assert body.get("output_config") == config
    assert ("temperature" in body) == (thinking is None and name == OLD)
    assert "thinking" not in sent(query, candidate(name))


def test_a_json_schema_is_closed_and_cut_down() -> None:
    """What the API refuses moves to the description, where the model still reads it."""
    schema = {
        "$schema": "x",
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "description": "Count"},
            "s": {"type": ["string", "null"], "maxLength": 5, "format": "regex"},
            "o": {"oneOf": [{"$ref": "#/$defs/p"}, {"type": "array", "items": {"type": "null"}}]},
        },
        "required": ["n"],
        "$defs": {"p": {"type": "object", "additionalProperties": True}},
    }
    closed = {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "description": "Count; minimum: 1"},
            "s": {"type": ["string", "null"], "description": 'maxLength: 5; format: "regex"'},
            "o": {"anyOf": [{"$ref": "#/$defs/p"}, {"type": "array", "items": {"type": "null"}}]},
        },
        "required": ["n"],
        "$defs": {"p": {"type": "object", "additionalProperties": False}},
        "additionalProperties": False,
    }
    shape = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    body = sent(query_of(response_format=shape), candidate(NEW, "json_schema"))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": closed}}
    assert "output_config" not in sent(query_of(response_format=shape), candidate(OLD))
    assert DIALECT.unsupported(query_of(response_format=shape), candidate(OLD)) == (
        "response_format",
    )


def test_a_bottomless_schema_is_no_bug() -> None:
    """Nesting deeper than anyone means is cut off."""
    deep = b'{"items":' * 700 + b"{}" + b"}" * 700
    assert "items" in strict_schema(deep)
    assert strict_schema(b'{"items":' * 5000 + b"{}" + b"}" * 5000) == {}


def test_what_cannot_be_said_is_named() -> None:
    """Nothing is lost silently; what equals the default does not count."""
    lost = query_of(
        seed=1,
        n=2,
        logprobs=True,
        logit_bias={"1": 5},
        frequency_penalty=0.5,
        presence_penalty=0,
        verbosity="medium",
        modalities=["text"],
        metadata={"a": "b"},
        service_tier="auto",
        top_k=5,
        response_format={"type": "json_object"},
        tools=[{"type": "custom", "custom": {"name": "f"}}],
        messages=[
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}],
            }
        ],
    )
    assert DIALECT.unsupported(lost) == (
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "messages[0].content[0]",
        "n",
        "response_format",
        "seed",
        "tools",
        "top_k",
    )
    assert DIALECT.unsupported(query_of()) == ()


def test_a_key_goes_into_its_own_header() -> None:
    """No header is sent without a key."""
    assert DIALECT.auth("k") == (("x-api-key", "k"),)
    assert DIALECT.auth("") == ()


MESSAGE: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-20250514",
    "content": [
        {"type": "thinking", "thinking": "Let me see.", "signature": "sig"},
        {"type": "text", "text": "It is "},
        {"type": "text", "text": "42."},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, 2.0]}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 5},
}
READ = Reply(
    choices=(
        Choice(
            text="It is 42.",
            reasoning="Let me see.",
            tool_calls=(
                ToolCall(id="toolu_1", name="f", arguments='{"a":[1,2.0]}'),
                ToolCall(id="toolu_2", name="g", arguments="{}"),
            ),
            finish_reason="tool_calls",
        ),
    ),
    model="claude-sonnet-4-20250514",
    usage=Usage(prompt_tokens=15, completion_tokens=20, cached_prompt_tokens=5),
)


def test_a_message_is_read_whole() -> None:
    """Text, thinking, tool calls, usage; the bytes are kept."""
    reply = DIALECT.reply(msgspec.json.encode(MESSAGE))
    assert (reply.choices, reply.model, reply.usage) == (READ.choices, READ.model, READ.usage)
    assert reply.origin is not None
    assert dict(reply.origin.fields)["id"] == b'"msg_1"'


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
    ],
)
def test_why_it_stopped(reason: str, finish: str) -> None:
    """Anthropic's reasons in our words."""
    body = MESSAGE | {"stop_reason": reason, "stop_details": {"explanation": "why"}}
    choice = DIALECT.reply(msgspec.json.encode(body)).choices[0]
    assert (choice.finish_reason, choice.refusal) == (finish, "why")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"content": "x"}', b"{}"])
def test_a_message_that_cannot_be_read_is_garbled(body: bytes) -> None:
    """It is a failure, never a bug."""
    with pytest.raises(Garbled):
        DIALECT.reply(body)


STREAM = (
    {
        "type": "message_start",
        "message": MESSAGE
        | {
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5},
        },
    },
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "Let me see."},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "signature_delta", "signature": "sig"},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "text_delta", "text": "It is 42."},
    },
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": '{"a":'},
    },
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": "[1,2.0]}"},
    },
    {"type": "content_block_stop", "index": 2},
    {
        "type": "content_block_start",
        "index": 3,
        "content_block": {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 3,
        "delta": {"type": "input_json_delta", "partial_json": ""},
    },
    {"type": "content_block_stop", "index": 3},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 20},
    },
    {"type": "message_stop"},
)


def framed(*events: object) -> bytes:
    """A stream of these events, each with its type."""
    return b"".join(
        b"event: %b\ndata: %b\n\n"
        % (cast("Json", event)["type"].__str__().encode(), msgspec.json.encode(event))
        for event in events
    )


def test_a_stream_amounts_to_the_message() -> None:
    """Folded, it is the reply that would have come in one piece; every event is kept but pings."""
    reader, accumulator = DIALECT.reader(), Accumulator()
    deltas: list[Delta] = []
    for event in SseParser().feed(framed(*STREAM)):
        deltas += reader.feed(event)
    for delta in deltas:
        accumulator.add(delta)
    assert accumulator.reply("?") == READ
    assert (reader.complete, reader.done) == (True, True)
    kept = [msgspec.json.decode(delta.raw or b"") for delta in deltas]
    assert kept == [event for event in STREAM if event["type"] not in ("ping", "message_stop")]


def test_a_stream_cut_after_the_stop_reason_is_whole() -> None:
    """Before it, it is not."""
    for length, complete in ((len(STREAM) - 1, True), (len(STREAM) - 2, False)):
        reader = DIALECT.reader()
        for event in SseParser().feed(framed(*STREAM[:length])):
            reader.feed(event)
        assert (reader.complete, reader.done) == (complete, False)


def test_an_error_event_is_its_failure() -> None:
    """Overload in the middle of a stream is overload."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reader = DIALECT.reader()
    with pytest.raises(Overloaded, match="Overloaded"):
        reader.feed(SseParser().feed(framed(error))[0])
    with pytest.raises(Garbled):
        reader.feed(SseParser().feed(b"data: {\n\n")[0])
