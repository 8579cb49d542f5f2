"""What a client of ours gets: answers, streams, errors and lists, as the official client reads."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from emafusion.domain.attempt import Choice, Delta, Reply, TokenLogprob, ToolDelta, Usage
from emafusion.domain.errors import (
    BadInput,
    ContextTooLong,
    Denied,
    EmafusionError,
    Overloaded,
    RateLimited,
    UnknownModel,
)
from emafusion.domain.query import ToolCall
from emafusion.wire.accumulate import Accumulator
from emafusion.wire.openai import (
    ChunkWriter,
    ModelEntry,
    OpenAIDialect,
    deltas_of,
    encode_error,
    encode_model,
    encode_models,
    encode_reply,
)
from emafusion.wire.sse import SseParser

Json = dict[str, object]

REPLY = Reply(
    choices=(
        Choice(
            text="Hi",
            tool_calls=(ToolCall(id="c", name="f", arguments="{}"),),
            finish_reason="tool_calls",
            reasoning="r",
            logprobs=(TokenLogprob(token="Hé", logprob=-0.5),),
        ),
        Choice(refusal="No.", finish_reason="content_filter"),
    ),
    model="m",
    usage=Usage(prompt_tokens=9, completion_tokens=4, cached_prompt_tokens=8, reasoning_tokens=2),
)


def writer(*, include_usage: bool = True, model: str = "gpt-x") -> ChunkWriter:
    """A writer for one stream."""
    return ChunkWriter(
        completion_id="chatcmpl-1", created=7, model=model, include_usage=include_usage
    )


def chunks(data: bytes) -> list[Json]:
    """The chunks in a piece of a stream, without the end marker."""
    found = [event.data for event in SseParser().feed(data) if event.data != b"[DONE]"]
    return [cast("Json", msgspec.json.decode(one)) for one in found]


def answer_of(reply: Reply, **extras: float) -> Json:
    """The body a client gets."""
    data = encode_reply(reply, completion_id="chatcmpl-1", created=7, model="gpt-x", extras=extras)
    return cast("Json", msgspec.json.decode(data))


def test_an_answer_of_any_dialect_has_the_official_shape() -> None:
    """The official client reads every field."""
    body = answer_of(REPLY, cost_usd=0.5)
    completion = ChatCompletion.model_validate(body, strict=True)
    first, second = completion.choices
    assert (completion.id, completion.created, completion.model) == ("chatcmpl-1", 7, "gpt-x")
    assert (first.message.content, first.finish_reason) == ("Hi", "tool_calls")
    assert first.message.tool_calls is not None
    assert first.logprobs is not None
    assert first.logprobs.content is not None
    assert bytes(first.logprobs.content[0].bytes or ()).decode() == "Hé"
    assert (second.message.content, second.message.refusal) == (None, "No.")
    assert completion.usage is not None
    assert completion.usage.total_tokens == 13
    assert body["emafusion"] == {"cost_usd": 0.5}


def test_an_answer_of_the_same_dialect_is_passed_on() -> None:
    """Its own id and fields that nobody knows are kept; the model is ours."""
    body: Json = {
        "id": "chatcmpl-theirs",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x-2025-01-01",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hi", "annotations": [{"type": "new"}]},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.25},
        "provider": "somebody",
    }
    reply = OpenAIDialect().reply(msgspec.json.encode(body))
    assert answer_of(reply) == body | {"model": "gpt-x"}
    assert answer_of(reply, a=1) == body | {"model": "gpt-x", "emafusion": {"a": 1}}


def test_an_unknown_usage_is_null_not_zero() -> None:
    """What the provider did not say is not made up."""
    assert answer_of(replace(REPLY, usage=None))["usage"] is None


def test_a_stream_of_any_dialect_has_the_official_shape() -> None:
    """Role first, then pieces, the end, and the usage last if it was asked for."""
    out = writer()
    data = out.delta(Delta(text="Hi", dialect="anthropic", raw=b'{"type":"x"}'))
    data += out.delta(Delta(tools=(ToolDelta(index=0, id="c", name="f", arguments="{}"),)))
    data += out.delta(Delta(reasoning="r", refusal="No."))
    data += out.delta(Delta(finish_reason="tool_calls"))
    data += out.delta(Delta(usage=REPLY.usage))
    data += out.final(REPLY.usage, {"cost_usd": 0.5})
    assert data.endswith(b"data: [DONE]\n\n")
    read = [ChatCompletionChunk.model_validate(chunk, strict=True) for chunk in chunks(data)]
    assert {chunk.id for chunk in read} == {"chatcmpl-1"}
    assert [len(chunk.choices) for chunk in read] == [1, 1, 1, 1, 0]
    assert (read[0].choices[0].delta.role, read[0].choices[0].delta.content) == ("assistant", "Hi")
    assert read[1].choices[0].delta.tool_calls is not None
    assert read[3].choices[0].finish_reason == "tool_calls"
    assert read[4].usage is not None
    assert read[4].usage.prompt_tokens_details is not None
    assert read[4].usage.prompt_tokens_details.cached_tokens == 8
    assert chunks(data)[4]["emafusion"] == {"cost_usd": 0.5}


def test_a_client_that_did_not_ask_gets_no_usage_chunk() -> None:
    """Many clients stumble over a chunk without choices."""
    out = writer(include_usage=False)
    assert out.delta(Delta(usage=Usage(prompt_tokens=1))) == b""
    assert out.final(Usage(prompt_tokens=1), {"cost_usd": 1}) == b"data: [DONE]\n\n"


RAW = b'{"id":"theirs","model":"gpt-x","choices":[{"index":0,"delta":{"content":"Hi"}}],"new":[1]}'


def test_a_chunk_of_the_same_dialect_is_passed_on() -> None:
    """Byte by byte where the name is the same, else with the model replaced; the id is kept."""
    delta = Delta(text="Hi", model="gpt-x", dialect="openai", raw=RAW)
    assert writer().delta(delta) == b"data: " + RAW + b"\n\n"
    other = writer(model="auto")
    assert chunks(other.delta(delta)) == [msgspec.json.decode(RAW) | {"model": "auto"}]
    assert chunks(other.final(None))[0]["id"] == "theirs"


def test_a_providers_own_usage_is_passed_on_at_the_end() -> None:
    """Its details come with our usage chunk, once, and never inside another chunk."""
    usage = b'{"prompt_tokens":1,"completion_tokens":2,"cost":0.5}'
    raw = RAW[:-1] + b',"usage":' + usage + b"}"
    counts = Usage(prompt_tokens=1, completion_tokens=2)
    delta = Delta(text="Hi", model="gpt-x", dialect="openai", raw=raw, usage=counts)
    out = writer()
    assert chunks(out.delta(delta))[0]["usage"] is None
    assert chunks(out.final(counts))[0]["usage"] == msgspec.json.decode(usage)
    more = cast("Json", chunks(out.final(structs.replace(counts, prompt_tokens=5)))[0]["usage"])
    assert (more["prompt_tokens"], "cost" in more) == (5, False)


def test_a_broken_stream_ends_with_an_error_and_no_marker() -> None:
    """No client may take a part for the whole."""
    data = writer().error(Overloaded("upstream\nfailed"))
    assert b"[DONE]" not in data
    assert chunks(data)[0]["error"] == {
        "message": "upstream\nfailed",
        "type": "server_error",
        "param": None,
        "code": "upstream_overloaded",
    }


def test_a_comment_keeps_a_connection_alive() -> None:
    """Clients skip it."""
    assert writer().comment("judging") == b": judging\n\n"


@pytest.mark.parametrize(
    ("error", "status", "fields"),
    [
        (
            BadInput("is required", where="messages[0].content"),
            400,
            ("invalid_request_error", "messages[0].content", "invalid_request"),
        ),
        (UnknownModel("no model 'x'"), 404, ("invalid_request_error", None, "model_not_found")),
        (Denied("no key"), 401, ("authentication_error", None, "invalid_api_key")),
        (RateLimited("slow"), 429, ("rate_limit_error", None, "rate_limited")),
        (
            ContextTooLong("too long"),
            400,
            ("invalid_request_error", None, "context_length_exceeded"),
        ),
        (Overloaded("busy"), 503, ("server_error", None, "upstream_overloaded")),
    ],
)
def test_an_error_has_the_official_shape(
    error: EmafusionError, status: int, fields: tuple[str, str | None, str]
) -> None:
    """Message, type, param and code, with the fitting status."""
    got, data = encode_error(error)
    body = msgspec.json.decode(data)["error"]
    assert got == status
    assert (body["type"], body["param"], body["code"]) == fields
    assert body["message"] == str(error)


def test_models_are_listed_in_the_official_shape() -> None:
    """The official client reads the list and each model."""
    entry = ModelEntry(id="gpt-x", owned_by="openai", created=3)
    listed = msgspec.json.decode(encode_models((entry,)))
    assert listed["object"] == "list"
    assert listed["data"] == [msgspec.json.decode(encode_model(entry))]
    assert Model.model_validate(listed["data"][0], strict=True).owned_by == "openai"


TEXT = st.text(max_size=10)
SAID = st.none() | st.text(min_size=1, max_size=10)
CALLS = st.builds(ToolCall, id=st.text(min_size=1), name=st.text(min_size=1), arguments=TEXT)
SCORES = st.builds(TokenLogprob, token=TEXT, logprob=st.floats(-100, 0))
CHOICES = st.builds(
    Choice,
    text=TEXT,
    tool_calls=st.lists(CALLS, max_size=3).map(tuple),
    finish_reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
    refusal=SAID,
    reasoning=SAID,
    logprobs=st.lists(SCORES, max_size=3).map(tuple),
)
COUNT = st.integers(0, 10**6)
USAGES = st.builds(
    Usage,
    prompt_tokens=COUNT,
    completion_tokens=COUNT,
    cpu_s=st.none() | st.floats(0, 10),
)
REPLIES = st.builds(
    Reply,
    choices=st.lists(CHOICES, min_size=1, max_size=3).map(tuple),
    model=st.text(min_size=1),
    usage=st.none() | USAGES,
)


def folded(deltas: list[Delta] | tuple[Delta, ...]) -> Reply:
    """What deltas amount to."""
    accumulator = Accumulator()
    for delta in deltas:
        accumulator.add(delta)
    return accumulator.reply("unnamed")


@given(REPLIES)
def test_a_held_back_reply_streams_to_the_same_reply(reply: Reply) -> None:
    """Cut into deltas and folded again, nothing is lost."""
    assert folded(deltas_of(reply)) == reply


@given(REPLIES)
def test_a_reply_survives_the_wire(reply: Reply) -> None:
    """Written for a client and read by our own dialect, it is the same, streamed or not."""
    data = encode_reply(reply, completion_id="i", created=1, model=reply.model)
    read = OpenAIDialect().reply(data)
    assert replace(read, origin=None) == reply
    out = ChunkWriter(completion_id="i", created=1, model=reply.model, include_usage=True)
    stream = b"".join(out.delta(delta) for delta in deltas_of(reply)) + out.final(reply.usage)
    reader = OpenAIDialect().reader()
    deltas = [delta for event in SseParser().feed(stream) for delta in reader.feed(event)]
    assert reader.done
    assert folded(deltas) == reply


@given(REPLIES)
def test_a_passed_on_reply_streams_with_all_its_fields(reply: Reply) -> None:
    """A held back answer of the same dialect keeps what only that dialect knows."""
    body = msgspec.json.decode(
        encode_reply(reply, completion_id="theirs", created=1, model=reply.model)
    )
    for choice in body["choices"]:
        choice["message"]["annotations"] = [{"type": "url_citation"}]
    held = OpenAIDialect().reply(msgspec.json.encode(body))
    deltas = deltas_of(held)
    assert folded(deltas) == reply
    out = ChunkWriter(completion_id="i", created=1, model="auto", include_usage=False)
    stream = b"".join(out.delta(delta) for delta in deltas)
    first = chunks(stream)[0]
    assert (first["id"], first["model"]) == ("theirs", "auto")
    assert cast("list[Json]", first["choices"])[0]["delta"] == body["choices"][0]["message"] | (
        {
            "tool_calls": [
                {"index": n} | call
                for n, call in enumerate(body["choices"][0]["message"]["tool_calls"])
            ]
        }
        if reply.choices[0].tool_calls
        else {}
    )


def test_nothing_streamed_is_an_empty_answer() -> None:
    """A reply always has a choice."""
    assert folded([]) == Reply(choices=(Choice(),), model="unnamed")


def test_fragments_of_tool_calls_are_joined() -> None:
    """By index, the id and name of the first fragment; made up where a server gave none."""
    reply = folded(
        [
            Delta(tools=(ToolDelta(index=1, id="b", name="g", arguments="{"),)),
            Delta(tools=(ToolDelta(index=0, name="f", arguments="{}"),)),
            Delta(tools=(ToolDelta(index=1, id="b", name="g", arguments="}"),)),
        ]
    )
    assert reply.tool_calls == (
        ToolCall(id="call_0", name="f", arguments="{}"),
        ToolCall(id="b", name="g", arguments="{}"),
    )
