"""What every dialect must hold, whatever a client or a server sends."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.command import Call
from emafusion.domain.errors import BadInput, Failure
from emafusion.domain.model import Candidate, Model
from emafusion.domain.query import Query
from emafusion.wire.anthropic import AnthropicDialect
from emafusion.wire.dialect import Dialect
from emafusion.wire.gemini import GeminiDialect
from emafusion.wire.openai import OpenAIDialect, decode_query, deltas_of
from emafusion.wire.sse import SseEvent

DIALECTS: tuple[Dialect, ...] = (OpenAIDialect(), AnthropicDialect(), GeminiDialect())
MODEL = Model(
    name="m", provider="p", abilities=frozenset({"tools", "json_schema", "reasoning", "images"})
)

BODY: dict[str, object] = {
    "model": "auto",
    "messages": [
        {"role": "developer", "content": "x", "name": "n"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]},
        {
            "role": "assistant",
            "content": [{"type": "refusal", "refusal": "No.", "prompt_cache_breakpoint": {}}],
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "[1]"}}
            ],
        },
        {"role": "tool", "tool_call_id": "other", "content": [{"type": "text", "text": "null"}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:x"}}]},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "s", "schema": {"type": ["object"], "properties": 1, "enum": 2}},
    },
    "reasoning_effort": "high",
    "stop": [" "],
    "max_tokens": 0,
    "stream_options": {"include_usage": None},
    "n": 3,
}

REPLIES = (
    (
        b'{"id":"i","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi",'
        b'"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},'
        b'"logprobs":{"content":[{"token":"a","logprob":-1}]},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":1,"completion_tokens_details":{"reasoning_tokens":1}}}'
    ),
    (
        b'{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"Hi","tool_calls":[{"index":0,'
        b'"id":"c","function":{"arguments":"{}"}}]},"finish_reason":null}],"usage":null}'
    ),
    (
        b'{"type":"message","model":"m","content":[{"type":"text","text":"Hi"},{"type":"tool_use",'
        b'"id":"t","name":"f","input":{}}],"stop_reason":"end_turn","usage":{"input_tokens":1}}'
    ),
    b'{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","input":{}}}',
    (
        b'{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta",'
        b'"partial_json":"{"}}'
    ),
    b'{"type":"message_delta","delta":{"stop_reason":"x"},"usage":{"output_tokens":1}}',
    (
        b'{"candidates":[{"content":{"parts":[{"text":"Hi","thought":true},{"functionCall":{"name":"f",'
        b'"args":{}}}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1}}'
    ),
    b'{"error":{"code":429,"message":"x","details":[{"retryDelay":"1s"}]}}',
)


def candidate(name: str) -> Candidate:
    """A candidate of that name."""
    return Candidate(name=name, model=MODEL, deployment="d", remote_name=name)


NAMES = ("gpt-5", "llama", "claude-sonnet-4-5", "claude-opus-5-5", "gemini-2.5-pro", "gemini-3-pro")


def writes(query: Query, name: str) -> None:
    """Every dialect writes the query, as it came and from its nouns, as JSON."""
    for dialect in DIALECTS:
        for one in (query, replace(query, origin=None)):
            call = Call(candidate=candidate(name), query=one)
            request = dialect.request(call, stream=True)
            assert request.path.startswith("/")
            assert isinstance(msgspec.json.decode(request.body), dict)
            lost = dialect.unsupported(one, candidate(name))
            assert set(dialect.unsupported(one)) <= set(lost)


@pytest.mark.parametrize("name", NAMES)
def test_a_demanding_query_can_be_written_for_any_model(name: str) -> None:
    """Odd parts, odd schemas and odd ids are no bug."""
    writes(decode_query(msgspec.json.encode(BODY), query_id="q"), name)


@given(st.sampled_from(NAMES), st.data())
def test_whatever_is_read_can_be_written(name: str, data: st.DataObject) -> None:
    """A body that is accepted is never a bug further on."""
    good = msgspec.json.encode(BODY)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 40)))
    middle = data.draw(st.sampled_from([b"", b"null", b"1", b'"x"', b"{}", b"[]", b","]))
    with suppress(BadInput):
        writes(decode_query(good[:start] + middle + good[end:], query_id="q"), name)


def reads(data: bytes) -> None:
    """Every dialect makes a reply and deltas of the data, or says which failure it is."""
    for dialect in DIALECTS:
        with suppress(Failure):
            reply = dialect.reply(data)
            assert reply.choices
            assert deltas_of(reply)
        reader = dialect.reader()
        for kind in ("message", "error", "ping"):
            with suppress(Failure):
                reader.feed(SseEvent(kind, data))
        assert reader.done in (True, False)
        assert reader.complete in (True, False)


@given(st.binary())
def test_any_bytes_of_a_server_are_read_or_fail(data: bytes) -> None:
    """Nothing that a server sends is a bug of ours."""
    reads(data)


@given(st.sampled_from(REPLIES), st.data())
def test_a_damaged_reply_is_read_or_fails(good: bytes, data: st.DataObject) -> None:
    """Nor is a reply with a piece missing or of another type."""
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 30)))
    middle = data.draw(st.sampled_from([b"", b"null", b"1", b'"x"', b"{}", b"[]", b"[1]", b"\xff"]))
    reads(good[:start] + middle + good[end:])


def test_every_good_reply_is_somebodys() -> None:
    """The examples above are what some dialect reads."""
    for data in REPLIES:
        reads(data)
