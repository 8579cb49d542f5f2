"""Chat completion requests: what is read, what is refused and how."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emafusion.domain.errors import BadInput
from emafusion.domain.query import (
    Format,
    ImagePart,
    OpaquePart,
    Query,
    Settings,
    TextPart,
    Tool,
    ToolCall,
)
from emafusion.wire.openai import decode_query

HELLO = {"role": "user", "content": "Hello"}


def body(**fields: object) -> bytes:
    """Write a body, complete unless a field is overridden."""
    return msgspec.json.encode({"model": "auto", "messages": [HELLO]} | fields)


def read(**fields: object) -> Query:
    """Read such a body."""
    return decode_query(body(**fields), query_id="q1")


def fault(data: bytes) -> BadInput:
    """Give the complaint about a body."""
    with pytest.raises(BadInput) as caught:
        decode_query(data, query_id="q1")
    assert "\n" not in str(caught.value)
    return caught.value


EVERYTHING: dict[str, object] = {
    "messages": [{"content": "string", "role": "developer", "name": "name"}],
    "model": "auto",
    "audio": {"format": "wav", "voice": "alloy"},
    "frequency_penalty": -2,
    "function_call": "none",
    "functions": [{"name": "old", "description": "d", "parameters": {"foo": "bar"}}],
    "logit_bias": {"foo": 0},
    "logprobs": True,
    "max_completion_tokens": 0,
    "max_tokens": 0,
    "metadata": {"foo": "string"},
    "modalities": ["text"],
    "moderation": {"model": "m", "policy": {"input": {"mode": "score"}, "output": None}},
    "n": 1,
    "parallel_tool_calls": True,
    "prediction": {"content": "string", "type": "content"},
    "presence_penalty": -2,
    "prompt_cache_key": "key",
    "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
    "prompt_cache_retention": "in_memory",
    "reasoning_effort": "none",
    "response_format": {"type": "text"},
    "safety_identifier": "someone",
    "seed": -9007199254740991,
    "service_tier": "auto",
    "stop": "\n",
    "store": True,
    "stream": False,
    "stream_options": {"include_obfuscation": True, "include_usage": True},
    "temperature": 1,
    "tool_choice": "none",
    "tools": [
        {"type": "function", "function": {"name": "new", "parameters": {"a": 1}, "strict": True}},
        {"type": "custom", "custom": {"name": "free", "format": {"type": "text"}}},
    ],
    "top_logprobs": 0,
    "top_p": 1,
    "user": "user-1234",
    "verbosity": "low",
    "web_search_options": {
        "search_context_size": "low",
        "user_location": {"type": "approximate", "approximate": {"city": "Ulm"}},
    },
    "some_new_field": {"deep": [1, 2.50, "x"]},
}


def test_every_documented_parameter_is_taken() -> None:
    """A body with all of them is read, and each field is kept as it came."""
    query = decode_query(msgspec.json.encode(EVERYTHING), query_id="q1")
    assert query.settings == Settings(
        max_tokens=0,
        temperature=1.0,
        top_p=1.0,
        stop=("\n",),
        seed=-9007199254740991,
        logprobs=True,
        top_logprobs=0,
        tool_choice="none",
        parallel_tool_calls=True,
        reasoning_effort="none",
    )
    assert [tool.name for tool in query.tools] == ["new", "free", "old"]
    assert query.tools[0] == Tool(name="new", schema=b'{"a":1}', strict=True)
    assert (query.user, query.stream, query.include_usage) == ("user-1234", False, True)
    assert query.origin is not None
    assert {k: msgspec.json.decode(v) for k, v in query.origin.fields} == EVERYTHING


def test_null_means_absent() -> None:
    """Clients that write every optional field as null are understood."""
    optional = {name: None for name in EVERYTHING if name not in ("model", "messages")}
    assert read(**optional).settings == Settings()


def test_a_conversation_with_tools_and_images_is_read() -> None:
    """Each turn becomes a message with its parts, calls and results."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}}
    audio = {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}
    query = read(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": [{"type": "text", "text": "Look"}, image, audio]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
        ]
    )
    system, user, assistant, tool = query.messages
    assert system.parts == (TextPart(text="Be brief."),)
    assert user.parts == (
        TextPart(text="Look"),
        ImagePart(url="data:image/png;base64,AA", detail="low"),
        OpaquePart(kind="input_audio", raw=msgspec.json.encode(audio)),
    )
    assert assistant.tool_calls == (ToolCall(id="c1", name="f", arguments="{}"),)
    assert (tool.role, tool.tool_call_id, tool.text) == ("tool", "c1", "42")
    assert query.answers_tool_call


def test_the_old_way_of_calling_functions_is_understood() -> None:
    """`functions`, `function_call` and the role `function` read as tools."""
    query = read(
        functions=[{"name": "f"}],
        function_call={"name": "f"},
        messages=[
            HELLO,
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "42"},
        ],
    )
    assert query.settings.tool_choice == "tool:f"
    assert query.messages[1].tool_calls[0].id == query.messages[2].tool_call_id
    assert query.messages[2].role == "tool"


def test_a_choice_among_tools_leaves_only_those() -> None:
    """`allowed_tools` narrows the tools that other dialects see."""
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]}
    query = read(tools=tools, tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert [tool.name for tool in query.tools] == ["b"]
    assert query.settings.tool_choice == "required"


def test_a_schema_is_kept_byte_by_byte() -> None:
    """The order and spelling of a JSON schema matter to some models."""
    schema = b'{ "type":"object", "properties":{"b":{},"a":{"const":1.0}} }'
    data = body(response_format=None)[:-1].replace(b',"response_format":null', b"")
    data += b',"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":'
    query = decode_query(data + schema + b',"strict":true}}}', query_id="q1")
    assert query.format == Format(kind="json_schema", name="s", schema=schema, strict=True)


@pytest.mark.parametrize(
    ("fields", "where", "what"),
    [
        ({"temperature": 3}, "temperature", "expected number <= 2.0"),
        ({"temperature": "1"}, "temperature", "expected number, got string"),
        ({"top_p": -1}, "top_p", "expected number >= 0.0"),
        ({"n": 0}, "n", "expected integer >= 1"),
        ({"seed": 2**70}, "seed", "expected integer <= 9223372036854775807"),
        ({"stop": list("abcde")}, "stop", "expected array of length <= 4"),
        ({"logit_bias": {"1": 101}}, "logit_bias", "expected number <= 100.0"),
        ({"metadata": {"a": 1}}, "metadata", "expected string, got int"),
        ({"verbosity": "x"}, "verbosity", "must be one of 'low', 'medium', 'high', got 'x'"),
        ({"top_logprobs": 2}, "top_logprobs", "needs 'logprobs' to be true"),
        ({"tools": []}, "tools", "expected array of length >= 1"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "is required"),
        ({"tool_choice": "required"}, "tool_choice", "'required' needs tools to choose from"),
        ({"messages": []}, "messages", "expected array of length >= 1"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "expected a string or an array"),
        ({"messages": [HELLO, {"role": "x", "content": ""}]}, "messages[1].role", "must be one of"),
        (
            {"messages": [{"role": "tool", "content": ""}]},
            "messages[0].tool_call_id",
            "is required in a message of role 'tool'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
            "is required",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content[0].image_url.url",
            "is required",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "file:///etc/x"}}],
                    }
                ]
            },
            "messages[0].content[0].image_url.url",
            "must be a data:, https: or http: address",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a b"}}},
            "response_format.json_schema.name",
            "expected letters, digits, '_' and '-' only",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": 1}}},
            "response_format.json_schema.schema",
            "expected a JSON schema (an object)",
        ),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            "tool_choice",
            "names no tool of this request: 'f'",
        ),
    ],
)
def test_a_wrong_value_is_named(fields: dict[str, object], where: str, what: str) -> None:
    """The complaint says what is wrong, where, and what would be right."""
    error = fault(body(**fields))
    assert error.where == where
    assert what in str(error)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "the body is empty"),
        (b"[]", "expected object, got array"),
        (b"null", "expected object, got null"),
        (b'{"model"', "not valid JSON"),
        (b'{"model": NaN}', "not valid JSON"),
        (b'{"model": "\xff"}', "not UTF-8"),
        (b'{"x": "\\ud800"}', "not valid JSON"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested too deeply"),
        (b"{}", "model: is required"),
        (b'{"model": ""}', "model: expected string of length >= 1"),
        (b'{"model": "a", "model": "b"}', "model: is given twice"),
        (b'{"model":"a","model":"b"}', "model: is given twice"),
        (b'{"model": "a", "\\u006dodel": "b"}', "model: is given twice"),
        (b'{"a\\/b": 1, "a/b": 2}', "a/b: is given twice"),
        (b'{"temperature": 1e999, "model": "a", "messages": []}', "temperature"),
    ],
)
def test_a_broken_body_is_bad_input(data: bytes, what: str) -> None:
    """Whatever is sent, the answer is one clear line."""
    assert what in str(fault(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def decodes_or_complains(data: bytes) -> None:
    """Hold the contract: a Query or BadInput, nothing else."""
    with suppress(BadInput):
        assert decode_query(data, query_id="q1").messages


@given(st.binary(max_size=200))
@example(b'{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":1e400}]}]}')
def test_any_bytes_are_a_query_or_bad_input(data: bytes) -> None:
    """No bytes raise anything else."""
    decodes_or_complains(data)


@given(st.sampled_from(sorted(EVERYTHING)), JSON)
def test_any_value_of_any_parameter_is_a_query_or_bad_input(name: str, value: object) -> None:
    """No value of a documented parameter raises anything else."""
    decodes_or_complains(msgspec.json.encode(EVERYTHING | {name: value}))


@given(st.data())
def test_a_damaged_body_is_a_query_or_bad_input(data: st.DataObject) -> None:
    """Nor does a good body with a piece cut out, repeated or overwritten."""
    good = msgspec.json.encode(EVERYTHING)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 60)))
    middle = data.draw(st.binary(max_size=6) | st.just(good[start:end] * 2))
    decodes_or_complains(good[:start] + middle + good[end:])


@given(
    st.sampled_from(["messages", "tools", "tool_choice", "response_format", "functions"]), st.data()
)
def test_any_inner_value_is_a_query_or_bad_input(name: str, data: st.DataObject) -> None:
    """Nor does a wrong value deep inside."""
    value = EVERYTHING | {
        "messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}],
        "tool_choice": {"type": "function", "function": {"name": "new"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
    }
    spot = cast("object", msgspec.json.decode(msgspec.json.encode(value[name])))
    damaged = damage(spot, data)
    decodes_or_complains(msgspec.json.encode(value | {name: damaged}))


def damage(value: object, data: st.DataObject) -> object:
    """Replace one value somewhere inside."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: damage(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [damage(value[0], data), *value[1:]]
    return data.draw(JSON)
