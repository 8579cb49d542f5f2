"""What a request to `/v1/responses` asks -> Query.

It is said as a chat completion, so that every upstream, judge and check that knows one knows the
other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Raw

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Query
from emafusion.wire import faults
from emafusion.wire.openai.inbound import decode_query
from emafusion.wire.responses.inbound import REFUSED, Asked
from emafusion.wire.responses.items import Items
from emafusion.wire.responses.params import FormatParam, ItemParam, Params
from emafusion.wire.responses.tools import choice_of, tools_of

_OWN = frozenset(
    {
        "background",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "previous_response_id",
        "reasoning",
        "store",
        "stream_options",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "truncation",
        *REFUSED,
    }
)
"""Fields that do not go on by their own names."""


def query_of(
    asked: Asked,
    *,
    query_id: str,
    history: Sequence[Raw] = (),
    kept: Mapping[str, Raw] | None = None,
) -> Query:
    """The query that a request asks.

    `history`: items of the responses before it; `kept`: items by id, for those that the input only
    names. Raises `BadInput`.
    """
    written = dict(_written(asked, history, kept or {}))
    try:
        return decode_query(msgspec.json.encode(written), query_id=query_id)
    except BadInput as error:
        raise _renamed(error) from None


def _written(
    asked: Asked, history: Sequence[Raw], kept: Mapping[str, Raw]
) -> Iterator[tuple[str, object]]:
    """The fields of a chat completion that asks the same."""
    params = asked.params
    yield from ((name, Raw(value)) for name, value in asked.fields if name not in _OWN)
    yield "messages", _messages(asked, history, kept)
    if params.max_output_tokens is not None:
        yield "max_completion_tokens", params.max_output_tokens
    if params.reasoning is not None and params.reasoning.effort is not None:
        yield "reasoning_effort", params.reasoning.effort
    if params.tools:
        yield "tools", tools_of(params.tools)
        if params.tool_choice is not None:
            yield "tool_choice", choice_of(params.tool_choice)
    yield from _text(params)
    if "message.output_text.logprobs" in (params.include or ()) or params.top_logprobs:
        yield "logprobs", True
        yield "top_logprobs", params.top_logprobs or 0


def _text(params: Params) -> Iterator[tuple[str, object]]:
    text = params.text
    if text is None:
        return
    if text.verbosity is not None:
        yield "verbosity", text.verbosity
    if text.format is not None and text.format.type != "text":
        yield "response_format", _format(text.format)


def _format(given: FormatParam) -> dict[str, object]:
    if given.type == "json_object":
        return {"type": "json_object"}
    if given.name is None:
        raise BadInput("is required", where="text.format.name")
    schema: dict[str, object] = {"name": given.name, "schema": given.schema}
    if bytes(given.schema) in (b"", b"null"):
        raise BadInput("is required", where="text.format.schema")
    if given.description is not None:
        schema["description"] = given.description
    if given.strict is not None:
        schema["strict"] = given.strict
    return {"type": "json_schema", "json_schema": schema}


def _messages(
    asked: Asked, history: Sequence[Raw], kept: Mapping[str, Raw]
) -> list[dict[str, object]]:
    items = Items()
    if asked.params.instructions is not None:
        items.messages.append({"role": "system", "content": asked.params.instructions})
    before = [faults.decode(raw, ItemParam, where="previous_response_id") for raw in history]
    items.add(before, "previous_response_id")
    given = asked.params.input
    if isinstance(given, str):
        items.add([_said(given)])
    else:
        items.add([_found(item, kept) for item in given or ()])
    items.end()
    return items.messages


def _said(text: str) -> ItemParam:
    return ItemParam(role="user", content=text)


def _found(item: ItemParam, kept: Mapping[str, Raw]) -> ItemParam:
    """The item itself, where only its id was given and it is kept here."""
    raw = kept.get(item.id or "") if item.type == "item_reference" else None
    return item if raw is None else faults.decode(raw, ItemParam, where="input")


_NAMES = (
    (re.compile(r"^messages.*"), "input"),
    (re.compile(r"^max_completion_tokens"), "max_output_tokens"),
    (re.compile(r"^reasoning_effort"), "reasoning.effort"),
    (re.compile(r"^response_format(?:\.json_schema)?"), "text.format"),
    (re.compile(r"^(tools\[\d+\]|tool_choice)\.(?:function|custom)"), r"\1"),
)


def _renamed(error: BadInput) -> BadInput:
    """The same complaint, in the words of this API."""
    where = error.where or ""
    for theirs, ours in _NAMES:
        if theirs.match(where):
            what = str(error).removeprefix(f"{where}: ")
            return BadInput(what, where=theirs.sub(ours, where))
    return error
