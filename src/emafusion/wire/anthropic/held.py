"""A message of Anthropic that was held back, cut into the events it would have come in."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.query import Origin
from emafusion.wire.anthropic.turns import Block

_ENDING = ("stop_reason", "stop_sequence", "stop_details", "container")
_AT_THE_END = ("usage", "context_management")


class _Text(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citations: list[Raw] | None = None


def deltas_of(reply: Reply, /) -> tuple[Delta, ...] | None:
    """Cut a reply of this dialect into deltas with the events in `raw`; None for any other reply.

    Nothing of it is lost: signatures, citations and blocks of tools that the provider ran included.
    """
    origin = reply.origin
    if origin is None or origin.dialect != "anthropic":
        return None
    return tuple(
        Delta(model=reply.model, dialect="anthropic", raw=msgspec.json.encode(event))
        for event in _events(origin)
    )


def _events(origin: Origin) -> Iterator[Block]:
    fields = {name: Raw(value) for name, value in origin.fields}
    began: Block = {n: v for n, v in fields.items() if n not in (*_ENDING, *_AT_THE_END)}
    empty: Block = {"content": [], "stop_reason": None, "stop_sequence": None}
    yield {
        "type": "message_start",
        "message": began | empty | {"usage": fields.get("usage", Raw(b"{}"))},
    }
    for index, raw in enumerate(msgspec.json.decode(fields["content"], type=list[Raw])):
        yield from _block(index, raw)
    ending: Block = {name: fields[name] for name in _ENDING if name in fields}
    after: Block = {name: fields[name] for name in _AT_THE_END if name in fields}
    yield {"type": "message_delta", "delta": ending} | after


def _block(index: int, raw: Raw) -> Iterator[Block]:
    fields: Block = dict(msgspec.json.decode(raw, type=dict[str, Raw]))
    said = list(_said(raw, fields))
    yield {"type": "content_block_start", "index": index, "content_block": fields}
    for delta in said:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _said(raw: Raw, fields: Block) -> Iterator[Block]:
    """Take out of a block what deltas bring; a block of another type is whole at its start."""
    block = msgspec.json.decode(raw, type=_Text)
    if block.type == "text":
        fields["text"] = ""
        if block.citations:
            fields["citations"] = []
        yield {"type": "text_delta", "text": block.text or ""}
        for citation in block.citations or ():
            yield {"type": "citations_delta", "citation": citation}
    elif block.type == "thinking":
        fields |= {"thinking": "", "signature": ""}
        yield {"type": "thinking_delta", "thinking": block.thinking or ""}
        yield {"type": "signature_delta", "signature": block.signature or ""}
    elif block.type == "tool_use":
        given = fields.get("input", Raw(b"{}"))
        fields["input"] = dict[str, object]()
        text = bytes(given).decode() if isinstance(given, Raw) else "{}"
        yield {"type": "input_json_delta", "partial_json": text}
