"""The query of a row: its messages as a client would send them, else its prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Query, ask
from emafusion.tables.json_kinds import is_list, is_object
from emafusion.wire.openai import decode_query

_Json: TypeAlias = dict[str, object]


def query_of(query_id: str, prompt: str | None, messages: str | None) -> Query:
    """Read a row's query.

    `messages`: JSON, a list of messages as OpenAI's API has them, or an object with `messages` and
    what else a request may hold (`tools`, `response_format`, ...). Without them the prompt is all.
    Raises `BadInput`, which names the place, where they cannot be read.

    >>> query_of("q1", "Hello", None).prompt
    'Hello'
    >>> query_of("q1", None, '[{"role": "user", "content": "Hi"}]').prompt
    'Hi'
    """
    if messages is None:
        return ask(prompt or "", query_id=query_id)
    return replace(decode_query(_body(messages), query_id=query_id), origin=None)


def _body(messages: str) -> bytes:
    """The body of a request to `auto`."""
    try:
        read: object = msgspec.json.decode(messages)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadInput("is not JSON; expected a list of messages", where="messages") from None
    body: object = {"messages": read} if is_list(read) else read
    turns = body.get("messages") if is_object(body) else None
    if not is_object(body) or not is_list(turns):
        raise BadInput("must be a list of messages, or an object with one", where="messages")
    whole = [_whole(turn) for turn in turns]
    return msgspec.json.encode({**body, "model": "auto", "stream": False, "messages": whole})


def _whole(turn: object) -> object:
    """Undo what a log or a table did to a message: unset fields, parts kept as text."""
    if not is_object(turn):
        return turn
    known: _Json = {str(name): value for name, value in turn.items() if value is not None}
    parts = known.get("content")
    if is_list(parts):
        known["content"] = [_part(part) for part in parts]
    elif parts is None and known.get("role") != "assistant":
        known["content"] = ""
    return known


def _part(part: object) -> object:
    """A part as it came; the log keeps a foreign one as its JSON, or the beginning of it."""
    if not is_object(part):
        return part
    raw = part.get("raw")
    if not isinstance(raw, str):
        return {name: value for name, value in part.items() if value is not None}
    try:
        read: object = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        read = None
    return read if is_object(read) else {"type": f"{part.get('type')} (cut)", "raw": raw}
