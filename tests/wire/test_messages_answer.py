"""An answer in Anthropic's dialect, whole and streamed: its grammar, and that nothing is lost."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Choice, Delta, FinishReason, Reply, ToolDelta, Usage
from emafusion.domain.errors import (
    BadInput,
    Denied,
    Disconnected,
    EmafusionError,
    Garbled,
    Overloaded,
    RateLimited,
    UnknownModel,
)
from emafusion.domain.query import ToolCall
from emafusion.wire.accumulate import Accumulator
from emafusion.wire.anthropic import (
    AnthropicDialect,
    EventWriter,
    deltas_of,
    encode_error,
    encode_reply,
)
from emafusion.wire.openai import deltas_of as any_deltas_of
from emafusion.wire.sse import SseParser

Json = dict[str, Any]
USAGE = Usage(
    prompt_tokens=100,
    completion_tokens=9,
    cached_prompt_tokens=60,
    cache_write_tokens=30,
    hour_write_tokens=10,
    reasoning_tokens=4,
)


def written(reply: Reply) -> Json:
    """The whole message that a client gets."""
    made: Json = json.loads(encode_reply(reply, message_id="msg_1", model="m", extras={"a": 1}))
    assert made.pop("emafusion") == {"a": 1}
    return made


def streamed(deltas: tuple[Delta, ...], reply: Reply) -> bytes:
    """The bytes of a stream."""
    writer = EventWriter(message_id="msg_1", model="m")
    return b"".join(map(writer.delta, deltas)) + writer.final(reply, {"a": 1})


def events(data: bytes) -> list[Json]:
    """The events in a stream, each named as its data is."""
    parser = SseParser()
    found: list[Json] = []
    for name, raw in parser.feed(data):
        event = json.loads(raw)
        assert name == event["type"]
        found.append(event)
    return found


def read_back(pieces: list[bytes]) -> Reply:
    """What a client of ours would understand, if it were us."""
    parser, reader, accumulator = SseParser(), AnthropicDialect().reader(), Accumulator()
    for piece in pieces:
        for event in parser.feed(piece):
            for delta in reader.feed(event):
                accumulator.add(delta)
    assert reader.done
    return accumulator.reply("?")


def held(fields: Json) -> Reply:
    """A reply as Anthropic gave it in one piece."""
    return AnthropicDialect().reply(json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
    ],
)
def test_reasons_are_translated_both_ways(reason: FinishReason, told: str) -> None:
    """Whole and streamed, and read back they are what they were."""
    reply = Reply(choices=(Choice(text="Hi", finish_reason=reason),), model="x", usage=USAGE)
    data = streamed(any_deltas_of(reply), reply)
    assert written(reply)["stop_reason"] == told
    assert events(data)[-2]["delta"] == {"stop_reason": told, "stop_sequence": None}
    assert read_back([data]).choices[0].finish_reason == reason


def test_a_foreign_reply_is_written_in_full() -> None:
    """Thoughts, words and calls as blocks; counts apart from what the cache held."""
    call = ToolCall(id="c", name="f", arguments='{"a": 1}')
    choice = Choice(text="Hi", reasoning="Hm", tool_calls=(call,), finish_reason="tool_calls")
    assert written(Reply(choices=(choice,), model="x", usage=USAGE)) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": ""},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 60,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 4},
        },
    }


def test_a_refusal_is_said() -> None:
    """OpenAI keeps it apart from the text; here it is the text."""
    reply = Reply(choices=(Choice(refusal="No.", finish_reason="content_filter"),), model="x")
    assert written(reply)["content"] == [{"type": "text", "text": "No."}]


PIECE = st.text("ab", min_size=1, max_size=4)


@st.composite
def deltas(draw: st.DrawFn) -> tuple[Delta, ...]:
    """Pieces of one answer in any order that servers use: thoughts, words, calls one by one."""
    spoken = st.builds(Delta, text=PIECE) | st.builds(Delta, reasoning=PIECE)
    made = draw(st.lists(spoken, max_size=3))
    for index in range(draw(st.integers(0, 3))):
        made.append(Delta(tools=(ToolDelta(index=index, id=f"c{index}", name="f"),)))
        arguments = json.dumps({"a": draw(PIECE)})
        cut = draw(st.integers(0, len(arguments)))
        for part in (arguments[:cut], arguments[cut:]):
            made.append(Delta(tools=(ToolDelta(index=index, arguments=part),)))
            if draw(st.booleans()):
                made.append(Delta())
    made.append(Delta(finish_reason=draw(st.sampled_from(["stop", "length", "tool_calls"]))))
    return tuple(made)


def folded(said: tuple[Delta, ...]) -> Reply:
    """What the pieces amount to."""
    accumulator = Accumulator()
    for delta in said:
        accumulator.add(delta)
    accumulator.add(Delta(usage=USAGE))
    return accumulator.reply("m")


@given(said=deltas(), cuts=st.lists(st.integers(0, 4000), max_size=6))
def test_what_is_streamed_reads_back_equal_cut_anywhere(
    said: tuple[Delta, ...], cuts: list[int]
) -> None:
    """Through the grammar and back: the same words, thoughts, calls, reason and counts."""
    reply = folded(said)
    data = streamed(said, reply)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[i:j] for i, j in itertools.pairwise(places)]
    assert read_back(pieces).choices == reply.choices
    assert read_back(pieces).usage == reply.usage


@given(said=deltas())
def test_the_grammar_holds(said: tuple[Delta, ...]) -> None:
    """One start; blocks one after the other from 0, each stopped; one ending; one stop."""
    got = events(streamed(said, folded(said)))
    kinds = [event["type"] for event in got]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    inside, expected = got[1:-2], 0
    while inside:
        start, *rest = inside
        assert (start["type"], start["index"]) == ("content_block_start", expected)
        end = next(n for n, event in enumerate(rest) if event["type"] == "content_block_stop")
        assert all(event["type"] == "content_block_delta" for event in rest[:end])
        assert all(event["index"] == expected for event in rest[: end + 1])
        inside, expected = rest[end + 1 :], expected + 1


CITED: Json = {"type": "char_location", "cited_text": "x", "document_index": 0}
MESSAGE: Json = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
        {"type": "text", "text": "Hi", "citations": [CITED]},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5, "service_tier": "standard"},
    "context_management": {"applied_edits": []},
    "from_the_future": {"a": 1.5},
}


def test_anthropics_own_reply_passes_as_it_came() -> None:
    """All but the model's name, by which the client knows it."""
    assert written(held(MESSAGE)) == {**MESSAGE, "model": "m"}


def rebuilt(got: list[Json]) -> Json:
    """The message that a client puts together from the events of a stream."""
    message: Json = got[0]["message"]
    for event in got[1:]:
        if event["type"] == "content_block_start":
            message["content"].append(event["content_block"])
        elif event["type"] == "content_block_delta":
            _grow(message["content"][event["index"]], event["delta"])
        elif event["type"] == "message_delta":
            event.pop("emafusion")
            message |= event.pop("delta") | {"usage": event["usage"]}
            message["context_management"] = event["context_management"]
    for block in message["content"]:
        if "partial" in block:
            block["input"] = json.loads(block.pop("partial"))
    return message


def _grow(block: Json, delta: Json) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] += delta["signature"]
        case "citations_delta":
            block["citations"].append(delta["citation"])
        case "input_json_delta":
            block["partial"] = block.get("partial", "") + delta["partial_json"]


def test_a_held_reply_is_streamed_without_loss() -> None:
    """What was judged first is the same message, event by event."""
    reply = held(MESSAGE)
    cut = deltas_of(reply)
    assert cut is not None
    got = events(streamed(cut, reply))
    assert rebuilt(got) == {**MESSAGE, "model": "m"}


def test_other_replies_are_not_cut_here() -> None:
    """They have no blocks of this dialect."""
    assert deltas_of(Reply(choices=(Choice(text="Hi"),), model="m")) is None


def test_a_call_that_goes_on_after_its_end_is_an_error() -> None:
    """Blocks come one after the other, so there is no place for it."""
    writer = EventWriter(message_id="msg_1", model="m")
    writer.delta(Delta(tools=(ToolDelta(index=0, id="a", name="f"),)))
    writer.delta(Delta(tools=(ToolDelta(index=1, id="b", name="f"),)))
    with pytest.raises(Garbled):
        writer.delta(Delta(tools=(ToolDelta(index=0, arguments="{}"),)))


def test_a_stream_that_breaks_is_given_no_end() -> None:
    """An error event is the last thing a client hears."""
    writer = EventWriter(message_id="msg_1", model="m")
    data = writer.delta(Delta(text="Hi")) + writer.error(Disconnected("it broke"))
    last = events(data)[-1]
    assert last == {"type": "error", "error": {"type": "api_error", "message": "it broke"}}


def test_a_ping_may_come_before_the_message() -> None:
    """While an answer is held nobody knows whose it will be."""
    writer = EventWriter(message_id="msg_1", model="m")
    data = writer.waiting() + writer.delta(Delta(text="Hi"))
    assert [event["type"] for event in events(data)][:2] == ["ping", "message_start"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (BadInput("x", where="model"), 400, "invalid_request_error"),
        (Denied("x"), 401, "authentication_error"),
        (UnknownModel("x"), 404, "not_found_error"),
        (RateLimited("x"), 429, "rate_limit_error"),
        (Overloaded("x"), 503, "overloaded_error"),
        (Disconnected("x"), 502, "api_error"),
        (EmafusionError("x"), 500, "api_error"),
    ],
)
def test_errors_have_the_apis_shape(error: EmafusionError, status: int, kind: str) -> None:
    """With the type by which its clients tell them apart."""
    told, body = encode_error(error)
    assert told == status
    expected = {"type": "error", "error": {"type": kind, "message": str(error)}}
    assert msgspec.json.decode(body) == expected
