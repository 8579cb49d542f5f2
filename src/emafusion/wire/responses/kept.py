"""Items as they are kept and listed: in their long form, each with an id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}
_PARTS = {"assistant": "output_text"}


class _Item(Struct):
    type: str = "message"
    id: str | None = None
    role: str | None = None
    content: Raw = Raw()


class _Body(Struct):
    output: list[Raw] = []


def long_form(items: Sequence[Raw], *, key: str, kept: Mapping[str, Raw]) -> list[Raw]:
    """Write out items of a checked input: short messages in full, references as what they name.

    `key`: what ids are made of where an item has none.
    """
    return [_long(raw, f"{key}_in{n}", kept) for n, raw in enumerate(items)]


def items_of(stored: bytes, /) -> list[Raw]:
    """Items that were kept."""
    return msgspec.json.decode(stored, type=list[Raw])


def output_items(body: bytes, /) -> list[Raw]:
    """Items of the output of a kept response."""
    return msgspec.json.decode(body, type=_Body).output


def by_id(items: Sequence[Raw], /) -> Iterator[tuple[str, Raw]]:
    """Items with their ids, those that have one."""
    for raw in items:
        key = msgspec.json.decode(raw, type=_Item).id
        if key:
            yield key, raw


def response_id_of(item_id: str, /) -> str | None:
    """Id of the response that an item belongs to; None where it is not one of ours.

    >>> response_id_of("msg_0199aa_1"), response_id_of("msg_1")
    ('resp_0199aa', None)
    """
    parts = item_id.split("_")
    return f"resp_{parts[1]}" if len(parts) == 3 else None


def _long(raw: Raw, ending: str, kept: Mapping[str, Raw]) -> Raw:
    item = msgspec.json.decode(raw, type=_Item)
    if item.type == "item_reference":
        return kept.get(item.id or "", raw)
    fields: dict[str, object] = dict(msgspec.json.decode(raw, type=dict[str, Raw]))
    fields |= {"type": item.type, "id": item.id or f"{_PREFIXES.get(item.type, 'it')}_{ending}"}
    if item.type == "message":
        fields["content"] = _content(item)
    if item.type != "reasoning":
        fields.setdefault("status", "completed")
    return Raw(msgspec.json.encode(fields))


def _content(item: _Item) -> object:
    raw = bytes(item.content) or b"[]"
    if not raw.startswith(b'"'):
        return Raw(raw)
    kind = _PARTS.get(item.role or "", "input_text")
    part: dict[str, object] = {"type": kind, "text": Raw(raw)}
    if kind == "output_text":
        part["annotations"] = ()
    return [part]
