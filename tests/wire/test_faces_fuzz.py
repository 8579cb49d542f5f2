"""Whatever a client sends is a query or its own mistake, and every query can be sent anywhere."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emafusion.domain.command import Call
from emafusion.domain.errors import BadInput
from emafusion.domain.model import Candidate, Model
from emafusion.domain.query import Query
from emafusion.wire.anthropic import AnthropicDialect, Around, decode_count, decode_query
from emafusion.wire.dialect import Dialect
from emafusion.wire.gemini import Asked, GeminiDialect, shows_thoughts
from emafusion.wire.gemini import decode_query as decode_generate
from emafusion.wire.openai import OpenAIDialect

Json = dict[str, Any]
Decode = Callable[[bytes], Query]
DIALECTS: tuple[Dialect, ...] = (AnthropicDialect(), GeminiDialect(), OpenAIDialect())
NAMES = ("claude-opus-5-5", "claude-haiku-4-5", "gemini-3-pro", "gemini-2.5-flash", "gpt-4o")

MARK: Json = {"cache_control": {"type": "ephemeral"}}
MESSAGES: Json = {
    "model": "auto",
    "max_tokens": 5000,
    "system": [{"type": "text", "text": "Be brief.", **MARK}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                {
                    "type": "document",
                    "title": "T",
                    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                    "citations": {"enabled": True},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": ""},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "text", "text": "x"}],
                    "is_error": True,
                }
            ],
        },
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object"}, "strict": True}],
    "tool_choice": {"type": "tool", "name": "f"},
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"a": 1}}},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
}
GENERATE: Json = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Hi"},
                {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://x/y"}},
            ],
        },
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
        {"parts": [{"functionResponse": {"name": "f", "response": {"result": "x"}}}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 1,
        "maxOutputTokens": 5,
        "responseMimeType": "application/json",
        "responseSchema": {"type": "STRING"},
        "thinkingConfig": {"thinkingLevel": "low", "includeThoughts": True},
    },
}


def _messages(body: bytes) -> Query:
    return decode_query(body, Around(headers={}), query_id="q")


def _count(body: bytes) -> Query:
    return decode_count(body, Around(headers={}), query_id="q")


def _generate(body: bytes) -> Query:
    query = decode_generate(body, Asked(model="auto"), query_id="q")
    shows_thoughts(query)
    return query


DECODERS: list[tuple[Decode, Json]] = [
    (_messages, MESSAGES),
    (_count, MESSAGES),
    (_generate, GENERATE),
]

WORDS = st.sampled_from(
    ["", "x", "text", "type", "image", "base64", "tool_use", "tool_result", "auto", "url", "f"]
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


def places(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a body."""
    inside: list[tuple[str | int, object]] = []
    if isinstance(node, dict):
        inside = list(node.items())
    elif isinstance(node, list):
        inside = list(enumerate(node))
    for key, value in inside:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def changed(draw: st.DrawFn, right: Json) -> bytes:
    """A right body with something else in one or two of its places, or one field more."""
    body = copy.deepcopy(right)
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from(list(places(body))))
        node: Any = body
        for key in path:
            node = node[key]
        if isinstance(node, dict) and draw(st.integers(0, 3)) == 0:
            node[draw(WORDS)] = draw(VALUE)
        else:
            node[last] = draw(VALUE)
    return json.dumps(body).encode()


def sent_everywhere(query: Query) -> None:
    """Write a query for every kind of model; each must be JSON."""
    for name in NAMES:
        for abilities in (frozenset[Any](), frozenset[Any]({"reasoning", "json_schema", "tools"})):
            model = Model(name=name, provider="p", abilities=abilities, max_completion_tokens=4096)
            candidate = Candidate(name=f"c-{name}", model=model, deployment="d", remote_name=name)
            for dialect in DIALECTS:
                call = Call(candidate=candidate, query=query, scored=True)
                names = dialect.unsupported(query, candidate)
                assert all(isinstance(name, str) for name in names)
                assert msgspec.json.decode(dialect.request(call, stream=True).body)


@pytest.mark.parametrize(("decode", "right"), DECODERS)
@settings(max_examples=80)
@given(data=st.data())
def test_a_changed_body_is_a_query_or_a_mistake(
    decode: Decode, right: Json, data: st.DataObject
) -> None:
    """Nothing but `BadInput` is raised, and what is let in can be sent to any provider."""
    body = data.draw(changed(right))
    with suppress(BadInput):
        sent_everywhere(decode(body))


@pytest.mark.parametrize(("decode", "right"), DECODERS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_body_cut_or_flipped_is_a_query_or_a_mistake(
    decode: Decode, right: Json, data: st.DataObject
) -> None:
    """Also where its bytes are not what they were."""
    text = bytearray(json.dumps(right).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    body = bytes(text[: data.draw(st.sampled_from([place, len(text)]))])
    with suppress(BadInput):
        decode(body)


@pytest.mark.parametrize(("decode", "right"), DECODERS)
def test_the_right_body_is_right(decode: Decode, right: Json) -> None:
    """So that the changes above begin at something that is let in."""
    sent_everywhere(decode(json.dumps(right).encode()))
