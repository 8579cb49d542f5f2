"""Messages of inspect_ai in the form of OpenAI's API, attachments put back into their places."""

from __future__ import annotations

from typing import Final

import msgspec

from emafusion.tables.importing.reach import Json, items, reach
from emafusion.tables.json_kinds import is_list, is_object

_ATTACHED: Final = ("attachment://", "tc://")


def resolved(value: Json, attached: Json) -> Json:
    """Everything in it, with what was kept apart (long texts, images) in its place.

    >>> resolved({"content": "attachment://a1"}, {"a1": "a long text"})
    {'content': 'a long text'}
    """
    if isinstance(value, str):
        if value.startswith(_ATTACHED):
            whole = reach(attached, value.partition("://")[2])
            return value if whole is None else whole
        return value
    if is_list(value):
        return [resolved(each, attached) for each in value]
    if is_object(value):
        return {name: resolved(each, attached) for name, each in value.items()}
    return value


def turn_of(turn: Json) -> Json:
    """A message as OpenAI's API has it."""
    made: dict[str, Json] = {"role": reach(turn, "role"), "content": _content(turn)}
    calls = [_call(call) for call in items(reach(turn, "tool_calls"))]
    if calls:
        made["tool_calls"] = calls
    answers = reach(turn, "tool_call_id")
    if answers is not None:
        made["tool_call_id"] = answers
    return made


def _content(turn: Json) -> Json:
    content = reach(turn, "content")
    if not is_list(content):
        return content
    return [_part(part) for part in content if reach(part, "type") != "reasoning"]


def _part(part: Json) -> Json:
    if reach(part, "type") == "image":
        url = reach(part, "image")
        known = isinstance(url, str) and url.startswith(("data:", "https://", "http://"))
        return {"type": "image_url", "image_url": {"url": url}} if known else {"type": "image"}
    return {"type": "text", "text": reach(part, "text") or ""}


def _call(call: Json) -> Json:
    function = reach(call, "function")
    arguments = msgspec.json.encode(reach(call, "arguments") or {}).decode()
    return {
        "id": reach(call, "id"),
        "type": "function",
        "function": {"name": function, "arguments": arguments},
    }
