"""Messages of GenAI spans in every form that the conventions have had.

By age: since 1.37 `gen_ai.input.messages` and `gen_ai.output.messages`; before it events
`gen_ai.user.message`, `gen_ai.choice` and so on; before those events `gen_ai.content.prompt` and
`gen_ai.content.completion`; and outside of them flat attributes `gen_ai.prompt.0.content`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

import msgspec

from emafusion.tables.importing.asked import said
from emafusion.tables.importing.otel_spans import Event
from emafusion.tables.importing.reach import Json, decoded, items, reach, text
from emafusion.tables.json_kinds import is_list, is_object
from emafusion.tables.jsonl import Fields

_TURN: Final = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message")


def turns_of(attributes: Fields, events: Sequence[Event]) -> list[Json]:
    """What was asked, in the form of OpenAI's API; empty where texts were not kept."""
    newest = [_turn(each) for each in items(decoded(attributes.get("gen_ai.input.messages")))]
    if newest:
        system = _parts(decoded(attributes.get("gen_ai.system_instructions")))
        return [*([{"role": "system", "content": system}] if system else []), *newest]
    told = list(_told(events))
    if told:
        return told
    return _content(attributes, events, "prompt") or list(_flat(attributes, "prompt"))


def response_of(attributes: Fields, events: Sequence[Event]) -> str | None:
    """What was answered, the first of several."""
    newest = items(decoded(attributes.get("gen_ai.output.messages")))
    if newest:
        return said(_turn(newest[0]))
    for event in events:
        if event.name == "gen_ai.choice":
            body = _body(event)
            whole = decoded(body.get("message"))
            return said(whole) if is_object(whole) else text(whole) or said(body)
    older = _content(attributes, events, "completion") or list(_flat(attributes, "completion"))
    return said(older[0]) if older else None


def tools_of(attributes: Fields) -> list[Json]:
    """Tools that were offered, in the form of OpenAI's API."""
    made: list[Json] = []
    for tool in items(decoded(attributes.get("gen_ai.tool.definitions"))):
        if reach(tool, "function") is not None:
            made.append(tool)
        elif text(reach(tool, "name")):
            held = {"name", "description", "parameters"}
            known = {name: reach(tool, name) for name in held if reach(tool, name) is not None}
            made.append({"type": "function", "function": known})
    return made


def _turn(turn: Json) -> Json:
    """A message of the newest form, whose parts say what they are."""
    role, parts = reach(turn, "role"), items(reach(turn, "parts"))
    if not parts:
        return turn
    answered = next((p for p in parts if reach(p, "type") == "tool_call_response"), None)
    if answered is not None:
        held = reach(answered, "result") or reach(answered, "response")
        content = held if isinstance(held, str) else msgspec.json.encode(held).decode()
        return {"role": "tool", "tool_call_id": reach(answered, "id") or "call", "content": content}
    made: dict[str, Json] = {"role": role, "content": _parts(parts)}
    calls = [_call(part) for part in parts if reach(part, "type") == "tool_call"]
    return {**made, "tool_calls": calls} if calls else made


def _parts(parts: Json) -> Json:
    """One text where there is no other part, else parts as OpenAI's API has them."""
    kept = [p for p in items(parts) if reach(p, "type") not in {"tool_call", "reasoning"}]
    texts = [reach(part, "content") for part in kept if reach(part, "type") == "text"]
    known = [each for each in texts if isinstance(each, str)]
    if len(known) == len(kept):
        return "\n".join(known) if known else None
    return [
        {"type": "text", "text": reach(part, "content")}
        if reach(part, "type") == "text"
        else {"type": f"{reach(part, 'modality') or reach(part, 'type')} (kept elsewhere)"}
        for part in kept
    ]


def _call(part: Json) -> Json:
    arguments = reach(part, "arguments")
    written = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    function = {"name": reach(part, "name"), "arguments": written}
    return {"id": reach(part, "id") or "call", "type": "function", "function": function}


def _body(event: Event) -> Fields:
    """An event's attributes, with the JSON in `gen_ai.event.content` as some of them."""
    inner = decoded(event.attributes.get("gen_ai.event.content"))
    return {**event.attributes, **inner} if is_object(inner) else event.attributes


def _told(events: Sequence[Event]) -> Iterator[Json]:
    """Messages that were events of their own."""
    for event in events:
        found = _TURN.fullmatch(event.name)
        if found is not None:
            body = _body(event)
            turn: dict[str, Json] = {
                "role": body.get("role") or found[1],
                "content": body.get("content"),
            }
            if body.get("tool_calls"):
                turn["tool_calls"] = decoded(body["tool_calls"])
            if found[1] == "tool":
                turn["tool_call_id"] = body.get("id") or "call"
            yield turn


def _content(attributes: Fields, events: Sequence[Event], kind: str) -> list[Json]:
    """A whole conversation in one attribute, of the span or of an event."""
    held = [event.attributes for event in events if event.name == f"gen_ai.content.{kind}"]
    for each in (*held, attributes):
        whole = decoded(each.get(f"gen_ai.{kind}"))
        if isinstance(whole, str) and whole:
            return [{"role": "user", "content": whole}]
        if items(whole):
            return list(items(whole))
    return []


def _flat(attributes: Fields, kind: str) -> Iterator[Json]:
    """One attribute for each field of each message."""
    for place in count():
        start = f"gen_ai.{kind}.{place}."
        if f"{start}content" not in attributes and f"{start}role" not in attributes:
            return
        role = attributes.get(f"{start}role") or "user"
        content = decoded(attributes.get(f"{start}content"))
        if not is_list(content):
            content = attributes.get(f"{start}content")
        yield {"role": role, "content": content}
