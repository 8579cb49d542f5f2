"""The Responses API on the wire: items there and back, events however they are cut."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from emafusion.domain.attempt import Choice, Delta, FinishReason, Reply, ToolDelta, Usage
from emafusion.domain.command import Call
from emafusion.domain.errors import BadInput, Overloaded
from emafusion.domain.query import ToolCall
from emafusion.testing import candidate
from emafusion.wire.openai import deltas_of
from emafusion.wire.openai.outbound import encode_call
from emafusion.wire.responses import (
    Asked,
    EventWriter,
    Frame,
    decode_request,
    output_of,
    query_of,
)
from emafusion.wire.responses.kept import items_of, long_form, output_items
from emafusion.wire.responses.replay import replayed
from emafusion.wire.sse import SseParser

Fields = dict[str, Any]
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
CALLS = st.lists(
    st.builds(ToolCall, id=TEXT.filter(bool), name=st.just("f"), arguments=TEXT),
    max_size=3,
    unique_by=lambda call: call.id,
)
REASONS: st.SearchStrategy[FinishReason] = st.sampled_from(
    ["stop", "length", "tool_calls", "content_filter"]
)
CHOICES = st.builds(
    Choice,
    text=TEXT,
    tool_calls=CALLS.map(tuple),
    finish_reason=REASONS,
    refusal=st.none() | TEXT.filter(bool),
    reasoning=st.none() | TEXT.filter(bool),
)


def asked(**fields: object) -> Asked:
    """A request that was read."""
    return decode_request(json.dumps({"model": "auto", "input": "?", **fields}).encode())


def frame(**fields: object) -> Frame:
    """What is around a response."""
    return Frame(key="0a", created_at=1, model="m", asked=asked(**fields), store=True)


def events(data: bytes, *, cut: int = 10**9) -> list[Fields]:
    """Read events from pieces of some size."""
    parser = SseParser()
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    found = [event for piece in pieces for event in parser.feed(piece)]
    read = [json.loads(event.data) for event in found]
    assert [event.event for event in found] == [event["type"] for event in read]
    return read


def streamed(reply: Reply, around: Frame, deltas: tuple[Delta, ...]) -> bytes:
    """A reply as a stream."""
    writer = EventWriter(around)
    data = b"".join(writer.delta(delta) for delta in deltas)
    finish = reply.choices[0].finish_reason
    output = writer.end(finish)
    ended = around.ended(output, finish=finish, usage=reply.usage, completed_at=2)
    return data + writer.ended(ended)


def cut_up(choice: Choice, size: int) -> tuple[Delta, ...]:
    """A choice in deltas of some letters each, as a model says it."""

    def pieces(text: str | None) -> list[str]:
        text = text or ""
        return [text[i : i + size] for i in range(0, len(text), size)]

    said = [Delta(reasoning=piece) for piece in pieces(choice.reasoning)]
    said += [Delta(text=piece) for piece in pieces(choice.text)]
    said += [Delta(refusal=piece) for piece in pieces(choice.refusal)]
    for n, call in enumerate(choice.tool_calls):
        said.append(Delta(tools=(ToolDelta(index=n, id=call.id, name=call.name),)))
        more = pieces(call.arguments)
        said += [Delta(tools=(ToolDelta(index=n, arguments=piece),)) for piece in more]
    return (*said, Delta(finish_reason=choice.finish_reason))


@given(CHOICES, st.integers(1, 5), st.integers(1, 40), st.booleans())
def test_a_stream_is_the_whole_answer(
    choice: Choice,
    size: int,
    cut: int,
    summary: bool,  # noqa: FBT001 - drawn
) -> None:
    """However it is cut, on the way from the model and to the client, it says the same."""
    around = frame(reasoning={"summary": "auto"} if summary else None)
    reply = Reply(choices=(choice,), model="m", usage=Usage(prompt_tokens=1))
    whole = json.loads(msgspec.json.encode(output_of(reply, around)))
    data = streamed(reply, around, cut_up(choice, size))
    read = events(data, cut=cut)
    assert read == events(data)
    assert [event["sequence_number"] for event in read] == list(range(len(read)))
    assert read[-1]["response"]["output"] == whole
    done = [e["item"] for e in read if e["type"] == "response.output_item.done"]
    assert done == whole
    held = events(streamed(reply, around, deltas_of(reply)))
    assert held[-1]["response"]["output"] == whole


@given(CHOICES, st.integers(1, 5))
def test_every_item_begins_grows_and_ends(choice: Choice, size: int) -> None:
    """What the pieces of an item add up to is what its end says."""
    reply = Reply(choices=(choice,), model="m")
    read = events(streamed(reply, frame(), cut_up(choice, size)))
    for name, field in (
        ("output_text", "text"),
        ("refusal", "refusal"),
        ("reasoning_text", "text"),
        ("function_call_arguments", "arguments"),
    ):
        ends = [e for e in read if e["type"] == f"response.{name}.done"]
        for end in ends:
            grown = "".join(
                e["delta"]
                for e in read
                if e["type"] == f"response.{name}.delta" and e["item_id"] == end["item_id"]
            )
            assert grown == end[field]
    begun = [e["item"]["id"] for e in read if e["type"] == "response.output_item.added"]
    ended = [e["item"]["id"] for e in read if e["type"] == "response.output_item.done"]
    assert sorted(begun) == sorted(ended)
    assert len(set(begun)) == len(begun)


@given(CHOICES)
def test_items_come_back_as_what_was_said(choice: Choice) -> None:
    """The output of one response, sent back as input, is the same turn of the assistant."""
    reply = Reply(choices=(choice,), model="m")
    for fields in ({}, {"include": ["reasoning.encrypted_content"]}):
        around = frame(**fields)
        body = msgspec.json.encode({"output": output_of(reply, around)})
        results = [
            {"type": "function_call_output", "call_id": call.id, "output": "x"}
            for call in choice.tool_calls
        ]
        items = [json.loads(bytes(raw)) for raw in output_items(body)]
        if fields:  # clients may send back the sealed form alone
            for item in items:
                item.pop("content", None) if item["type"] == "reasoning" else None
        turns = [{"role": "user", "content": "?"}, *items, *results]
        again = query_of(asked(input=turns), query_id="q")
        said = [m for m in again.messages if m.role == "assistant"]
        assert "".join(m.text for m in said) == choice.text
        assert tuple(call for m in said for call in m.tool_calls) == choice.tool_calls
        origin = again.origin
        assert origin is not None
        sent = json.loads(dict(origin.fields)["messages"])
        thought = "".join(m.get("reasoning_content", "") for m in sent)
        assert thought == (choice.reasoning or "")


@given(CHOICES)
def test_a_kept_response_can_be_streamed_again(choice: Choice) -> None:
    """Its events end in the very response."""
    reply = Reply(choices=(choice,), model="m")
    around = frame()
    ended = around.ended(
        output_of(reply, around), finish=choice.finish_reason, usage=None, completed_at=2
    )
    body = msgspec.json.encode(ended)
    read = events(replayed(body))
    assert read[-1]["response"] == json.loads(body)
    assert events(replayed(body, after=2)) == read[3:]


def test_what_is_kept_has_ids_and_a_long_form() -> None:
    """A short message is written out; an id that is there stays."""
    given = asked(
        input=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "yo", "id": "msg_own"},
            {"type": "item_reference", "id": "rs_0b_0"},
        ]
    )
    named = Raw(b'{"type":"reasoning","id":"rs_0b_0","summary":[]}')
    kept = long_form(given.items, key="0a", kept={"rs_0b_0": named})
    read = [json.loads(bytes(raw)) for raw in items_of(msgspec.json.encode(kept))]
    assert [item["id"] for item in read] == ["msg_0a_in0", "msg_own", "rs_0b_0"]
    assert read[0]["content"] == [{"type": "input_text", "text": "hi"}]
    assert read[1]["content"][0]["type"] == "output_text"


def test_a_stream_that_breaks_off_says_so() -> None:
    """The response has failed, and an error follows, which makes clients raise."""
    writer = EventWriter(frame())
    data = writer.delta(Delta(text="Os")) + writer.error(Overloaded("gone"))
    read = events(data)
    failed, error = read[-2:]
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": "server_error", "message": "gone"}
    assert failed["response"]["output"][0]["status"] == "incomplete"
    assert (error["type"], error["message"]) == ("error", "gone")
    assert error["error"]["message"] == "gone"


def test_custom_tools_take_free_text() -> None:
    """A call of such a tool comes as its own kind of item and of events."""
    around = frame(tools=[{"type": "custom", "name": "f"}])
    call = ToolCall(id="c", name="f", arguments="do it")
    choice = Choice(tool_calls=(call,), finish_reason="tool_calls")
    read = events(streamed(Reply(choices=(choice,), model="m"), around, cut_up(choice, 3)))
    assert read[-1]["response"]["output"] == [
        {
            "type": "custom_tool_call",
            "id": "ctc_0a_0",
            "status": "completed",
            "call_id": "c",
            "name": "f",
            "input": "do it",
        }
    ]
    assert "response.custom_tool_call_input.done" in {event["type"] for event in read}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [*decode_request.__annotations__, *asked().params.__struct_fields__, "n", "x"]
)
ITEM = st.dictionaries(
    st.sampled_from(
        ["type", "role", "content", "id", "call_id", "name", "arguments", "output", "summary"]
    ),
    JSON | st.sampled_from(["message", "function_call", "reasoning", "user", "assistant", "c"]),
    max_size=5,
)


@given(st.dictionaries(NAMES, JSON, max_size=4), st.none() | st.lists(ITEM, max_size=4))
def test_whatever_comes_is_a_query_or_bad_input(fields: Fields, items: list[Fields] | None) -> None:
    """No body makes anything else of it."""
    body = {"model": "auto", "input": "?", **fields}
    if items is not None:
        body["input"] = items
    try:
        query_of(decode_request(json.dumps(body).encode()), query_id="q")
    except BadInput:
        return


def test_thoughts_go_back_to_those_who_take_them() -> None:
    """OpenAI's own models refuse them, so they are left out there."""
    items = [
        {"role": "user", "content": "?"},
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "Sure?"},
    ]
    query = query_of(asked(input=items), query_id="q")
    for name, sent in (("deepseek-chat", True), ("gpt-6-astra", False)):
        body = encode_call(Call(candidate=candidate(name), query=query), stream=False)
        assert (b"reasoning_content" in body) is sent
        assert [turn["role"] for turn in json.loads(body)["messages"]] == [
            "user",
            "assistant",
            "user",
        ]
