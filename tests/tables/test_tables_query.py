"""The query of a row."""

from __future__ import annotations

import json

import pytest

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Format, ImagePart, OpaquePart, ask
from emafusion.tables.query import query_of

HI = {"role": "user", "content": "Hi"}


def _query(messages: object, prompt: str | None = None) -> object:
    return query_of("q", prompt, json.dumps(messages))


def test_a_prompt_alone_is_one_user_message() -> None:
    """And an unknown one is empty."""
    assert query_of("q", "Hi", None) == ask("Hi", query_id="q")
    assert query_of("q", None, None).prompt == ""


def test_messages_go_before_the_prompt() -> None:
    """The prompt is only the last thing that was asked."""
    query = query_of("q", "Hi", json.dumps([{"role": "system", "content": "Be brief."}, HI]))
    assert [message.role for message in query.messages] == ["system", "user"]
    assert (query.query_id, query.prompt, query.origin) == ("q", "Hi", None)


def test_an_object_may_hold_what_else_a_request_had() -> None:
    """Tools and the format of the answer; not which model, nor that it was streamed."""
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    query = query_of("q", None, json.dumps({
        "messages": [HI], "tools": [tool], "response_format": {"type": "json_object"},
        "model": "tiny", "stream": True,
    }))  # fmt: skip
    assert [each.name for each in query.tools] == ["add"]
    assert query.format == Format(kind="json_object")
    assert (query.requested, query.stream) == ("auto", False)


def test_what_the_log_cut_short_is_still_a_message() -> None:
    """Large images and foreign parts leave their beginning, unset fields are null."""
    whole = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk... (9 bytes)"}},
        {"type": "input_audio", "raw": json.dumps(whole)},
        {"type": "input_audio", "raw": '{"type": "input_audio", "inp... (4096 bytes, blake2b 0)'},
        {"type": "text", "text": "What is it?", "image_url": None},
    ]
    turns = [{"role": "user", "content": parts, "tool_calls": None}, {"role": "user"}]
    query = query_of("q", None, json.dumps(turns))
    kinds = [type(part) for part in query.messages[0].parts]
    assert kinds[:3] == [ImagePart, OpaquePart, OpaquePart]
    assert query.messages[1].text == ""


@pytest.mark.parametrize(
    ("messages", "what"),
    [
        ("Hi", "messages: must be a list of messages, or an object with one"),
        ({"tools": []}, "messages: must be a list of messages, or an object with one"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([HI, {"role": "tool", "content": "x"}], "messages[1].tool_call_id: is required"),
        (["Hi"], "messages[0]"),
    ],
)
def test_messages_that_cannot_be_read_name_the_place(messages: object, what: str) -> None:
    """As the gateway would tell a client."""
    with pytest.raises(BadInput) as caught:
        _query(messages)
    assert str(caught.value).startswith(what)
