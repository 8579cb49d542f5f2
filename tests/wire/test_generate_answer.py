"""An answer in Google's dialect, whole and streamed as events or as one array."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Choice, Delta, FinishReason, Reply, ToolDelta, Usage
from emafusion.domain.errors import BadInput, Disconnected, RateLimited
from emafusion.domain.query import ToolCall
from emafusion.wire.accumulate import Accumulator
from emafusion.wire.gemini import (
    Delivery,
    GeminiDialect,
    ResponseWriter,
    deltas_of,
    encode_error,
    encode_reply,
)
from emafusion.wire.openai import deltas_of as any_deltas_of
from emafusion.wire.sse import SseParser

Json = dict[str, Any]
USAGE = Usage(prompt_tokens=9, completion_tokens=5, cached_prompt_tokens=2, reasoning_tokens=3)
OWN: Json = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "Hm", "thought": True},
                    {"text": "Hi", "thoughtSignature": "c2ln"},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "index": 0,
            "safetyRatings": [],
        }
    ],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1},
    "modelVersion": "gemini-3-pro",
    "responseId": "r1",
    "fromTheFuture": 1.5,
}


def written(reply: Reply, *, thoughts: bool = True) -> Json:
    """The whole response that a client gets."""
    data = encode_reply(reply, response_id="r", model="m", thoughts=thoughts, extras={"a": 1})
    made: Json = json.loads(data)
    assert made.pop("emafusion") == {"a": 1}
    return made


def streamed(deltas: tuple[Delta, ...], reply: Reply, *, events: bool = True) -> bytes:
    """The bytes of a stream."""
    delivery = Delivery(events=events, thoughts=True)
    writer = ResponseWriter(response_id="r", model="m", delivery=delivery)
    return b"".join(map(writer.delta, deltas)) + writer.final(reply, {"a": 1})


def read_back(pieces: list[bytes]) -> Reply:
    """What a client of ours would understand, if it were us."""
    parser, reader, accumulator = SseParser(), GeminiDialect().reader(), Accumulator()
    for piece in pieces:
        for event in parser.feed(piece):
            for delta in reader.feed(event):
                accumulator.add(delta)
    assert reader.complete
    return accumulator.reply("?")


@pytest.mark.parametrize(
    ("reason", "told"), [("stop", "STOP"), ("length", "MAX_TOKENS"), ("content_filter", "SAFETY")]
)
def test_reasons_are_translated_both_ways(reason: FinishReason, told: str) -> None:
    """Whole and streamed, and read back they are what they were."""
    reply = Reply(choices=(Choice(text="Hi", finish_reason=reason),), model="x", usage=USAGE)
    assert written(reply)["candidates"][0]["finishReason"] == told
    assert read_back([streamed(any_deltas_of(reply), reply)]).choices == reply.choices


def test_a_foreign_reply_is_written_in_full() -> None:
    """Thoughts only for who asked to see them; what they took is told to everybody."""
    call = ToolCall(id="c", name="f", arguments='{"a": 1}')
    choice = Choice(text="Hi", reasoning="Hm", tool_calls=(call,), finish_reason="tool_calls")
    reply = Reply(choices=(choice,), model="x", usage=USAGE)
    called = {"functionCall": {"name": "f", "args": {"a": 1}, "id": "c"}}
    parts: list[Json] = [{"text": "Hi"}, called]
    expected: Json = {
        "candidates": [
            {"content": {"parts": parts, "role": "model"}, "index": 0, "finishReason": "STOP"}
        ],
        "modelVersion": "m",
        "responseId": "r",
        "usageMetadata": {
            "promptTokenCount": 9,
            "candidatesTokenCount": 2,
            "totalTokenCount": 14,
            "cachedContentTokenCount": 2,
            "thoughtsTokenCount": 3,
        },
    }
    assert written(reply, thoughts=False) == expected
    parts.insert(0, {"text": "Hm", "thought": True})
    assert written(reply) == expected


PIECE = st.text("ab", min_size=1, max_size=4)


@st.composite
def deltas(draw: st.DrawFn) -> tuple[Delta, ...]:
    """Pieces of one answer; calls may come interleaved, here they are given whole."""
    spoken = st.builds(Delta, text=PIECE) | st.builds(Delta, reasoning=PIECE)
    made = draw(st.lists(spoken, max_size=3))
    count = draw(st.integers(0, 3))
    for index in range(count):
        made.append(Delta(tools=(ToolDelta(index=index, id=f"c{index}", name="f"),)))
    for index in range(count):
        arguments = json.dumps({"a": draw(PIECE)}, separators=(",", ":"))
        made.append(Delta(tools=(ToolDelta(index=index, arguments=arguments),)))
    reason: FinishReason = "tool_calls" if count else draw(st.sampled_from(["stop", "length"]))
    return (*made, Delta(finish_reason=reason))


def folded(said: tuple[Delta, ...]) -> Reply:
    """What the pieces amount to."""
    accumulator = Accumulator()
    for delta in (*said, Delta(usage=USAGE)):
        accumulator.add(delta)
    return accumulator.reply("m")


@given(said=deltas(), cut=st.integers(0, 2000))
def test_what_is_streamed_reads_back_equal_cut_anywhere(said: tuple[Delta, ...], cut: int) -> None:
    """The same words, thoughts, calls, reason and counts."""
    reply = folded(said)
    data = streamed(said, reply)
    back = read_back([data[:cut], data[cut:]])
    assert (back.choices, back.usage) == (reply.choices, reply.usage)


@given(said=deltas())
def test_an_array_holds_what_the_events_do(said: tuple[Delta, ...]) -> None:
    """The same pieces, as the items of one array."""
    reply = folded(said)
    parser = SseParser()
    events = [json.loads(event.data) for event in parser.feed(streamed(said, reply))]
    assert json.loads(streamed(said, reply, events=False)) == events


def test_googles_own_reply_passes_as_it_came() -> None:
    """Whole, and as a stream of one piece where it was judged first; only the model is renamed."""
    reply = GeminiDialect().reply(json.dumps(OWN).encode())
    cut = deltas_of(reply)
    assert cut is not None
    assert written(reply) == {**OWN, "modelVersion": "m"}
    (piece,) = json.loads(streamed(cut, reply, events=False))
    assert piece.pop("emafusion") == {"a": 1}
    assert piece == {**OWN, "modelVersion": "m"}


def test_googles_own_stream_passes_as_it_came() -> None:
    """Piece by piece; the last is held until the outcome is logged."""
    first = {"candidates": [{"content": {"parts": [{"text": "H"}]}, "index": 0}]}
    reader = GeminiDialect().reader()
    parser = SseParser()
    writer = ResponseWriter(response_id="r", model="m", delivery=Delivery())
    sent = b"".join(b"data: %b\n\n" % json.dumps(piece).encode() for piece in (first, OWN))
    out = [writer.delta(d) for event in parser.feed(sent) for d in reader.feed(event)]
    assert json.loads(out[0].removeprefix(b"data: ")) == {**first, "modelVersion": "m"}
    assert out[1:] == [b""]
    last = json.loads(writer.final(folded(())).removeprefix(b"data: "))
    assert last == {**OWN, "modelVersion": "m"}


@pytest.mark.parametrize("events", [True, False])
def test_a_stream_that_breaks_is_given_no_end(*, events: bool) -> None:
    """Its last piece is an error, and no piece before it said why it ended."""
    delivery = Delivery(events=events)
    writer = ResponseWriter(response_id="r", model="m", delivery=delivery)
    data = (
        writer.waiting() + writer.delta(Delta(text="Hi")) + writer.error(Disconnected("it broke"))
    )
    parser = SseParser()
    pieces = [json.loads(e.data) for e in parser.feed(data)] if events else json.loads(data)
    assert pieces[-1]["error"] == {"code": 502, "message": "it broke", "status": "UNAVAILABLE"}
    assert "finishReason" not in str(pieces)


def test_errors_have_the_apis_shape() -> None:
    """With the status by which its clients tell them apart, and how long to wait."""
    status, body = encode_error(BadInput("is required", where="contents"))
    told = {"code": 400, "message": "contents: is required", "status": "INVALID_ARGUMENT"}
    assert (status, json.loads(body)) == (400, {"error": told})
    status, body = encode_error(RateLimited("slow down", retry_after_s=2.5))
    error = json.loads(body)["error"]
    assert (status, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert error["details"][0]["retryDelay"] == "2.5s"
