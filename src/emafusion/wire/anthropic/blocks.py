"""Turns of a conversation: Anthropic's messages and blocks -> Messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.query import (
    ImagePart,
    Message,
    OpaquePart,
    Part,
    TextPart,
    ToolCall,
)
from emafusion.wire import faults
from emafusion.wire.anthropic.params import MessageParam

_NOTHING = (b"", b"null")
_TYPES = frozenset(
    {"document", "image", "search_result", "text", "thinking", "tool_result", "tool_use"}
)
"""Types of blocks that the nouns can hold; any other is kept whole."""


class _Source(Struct):
    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: str | list[Raw] | None = None


class _Citing(Struct):
    enabled: bool | None = None


class _Block(Struct):
    type: str
    text: str | None = None
    source: Raw = Raw()
    id: str | None = None
    name: str | None = None
    input: Raw = Raw()
    tool_use_id: str | None = None
    content: Raw = Raw()
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    title: str | None = None
    context: str | None = None
    citations: Raw = Raw()
    cache_control: Raw = Raw()


class _KnownBlock(_Block, forbid_unknown_fields=True):
    pass


_KNOWN = msgspec.json.Decoder(_KnownBlock)


@dataclass(slots=True, kw_only=True)
class Reading:
    """Reads turns; `beyond` gathers names of what only this dialect can say."""

    beyond: set[str] = field(default_factory=set[str])

    def system(self, system: str | list[Raw] | None, /) -> Iterator[Message]:
        """Read the system text, which stands beside the messages."""
        if system is None or system == "":
            return
        parts = self._parts(system, "system")
        if not all(isinstance(part, TextPart) for part in parts):
            raise BadInput("takes blocks of type 'text' only", where="system")
        yield Message(role="system", parts=parts)

    def turn(self, param: MessageParam, where: str, /) -> Iterator[Message]:
        """Read one turn; each tool's result in it becomes a message of its own, before the rest."""
        content = param.content
        if isinstance(content, str):
            yield Message(role=param.role, parts=(TextPart(text=content),) if content else ())
            return
        blocks = [(self._block(raw, f"{where}.content[{n}]"), raw) for n, raw in enumerate(content)]
        parts: list[Part] = []
        calls: list[ToolCall] = []
        for n, (block, raw) in enumerate(blocks):
            at = f"{where}.content[{n}]"
            if block.type == "tool_result":
                yield self._result(block, param.role, at)
            elif block.type == "tool_use":
                calls.append(self._call(block, param.role, at))
            else:
                parts.extend(self._part(block, raw, at))
        if parts or calls or not blocks:
            yield Message(role=param.role, parts=tuple(parts), tool_calls=tuple(calls))

    def _block(self, raw: Raw, where: str) -> _Block:
        """Read a block; fields that the nouns do not know are ones that only Anthropic does."""
        try:
            return _KNOWN.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            block = faults.decode(raw, _Block, where=where)
        if block.type in _TYPES:
            fields = faults.decode(raw, dict[str, Raw], where=where)
            self.beyond |= fields.keys() - set(_Block.__struct_fields__)
        return block

    def _parts(self, content: str | list[Raw], where: str) -> tuple[Part, ...]:
        if isinstance(content, str):
            return (TextPart(text=content),) if content else ()
        return tuple(
            part
            for n, raw in enumerate(content)
            for part in self._part(self._block(raw, f"{where}[{n}]"), raw, f"{where}[{n}]")
        )

    def _part(self, block: _Block, raw: Raw, where: str) -> Iterator[Part]:
        self._note(block, where)
        match block.type:
            case "text":
                yield TextPart(text=_needed(block.text, f"{where}.text"))
            case "image":
                yield _image(_source(block, where), raw, where)
            case "document":
                yield from self._document(block, raw, where)
            case "search_result":
                told = _needed(block.title, f"{where}.title")
                texts = self._parts(_content(block, where), f"{where}.content")
                yield TextPart(text=told)
                yield from texts
            case "thinking":
                yield self._thought(block.thinking, raw, f"{where}.thinking")
            case "redacted_thinking":
                yield self._thought(block.data, raw, f"{where}.data")
            case kind:
                yield OpaquePart(kind=kind, raw=bytes(raw))

    def _thought(self, said: str | None, raw: Raw, where: str) -> Part:
        """Keep a thought, which only the API that it came from can take back."""
        _needed(said, where)
        self.beyond.add("thinking")
        return OpaquePart(kind="thinking", raw=bytes(raw))

    def _document(self, block: _Block, raw: Raw, where: str) -> Iterator[Part]:
        """Read a document: what is text becomes text, a file stays what it is."""
        source = _source(block, where)
        told = [TextPart(text=text) for text in (block.title, block.context) if text]
        if source.type == "text":
            yield from told
            yield TextPart(text=_needed(source.data, f"{where}.source.data"))
        elif source.type == "content" and source.content is not None:
            yield from told
            yield from self._parts(source.content, f"{where}.source.content")
        else:
            yield OpaquePart(kind="document", raw=bytes(raw))

    def _result(self, block: _Block, role: str, where: str) -> Message:
        if role != "user":
            raise BadInput("belongs in a message of role 'user'", where=where)
        self._note(block, where)
        if block.is_error:
            self.beyond.add("is_error")
        return Message(
            role="tool",
            parts=self._parts(_content(block, where), f"{where}.content"),
            tool_call_id=_needed(block.tool_use_id, f"{where}.tool_use_id"),
        )

    def _call(self, block: _Block, role: str, where: str) -> ToolCall:
        if role != "assistant":
            raise BadInput("belongs in a message of role 'assistant'", where=where)
        self._note(block, where)
        given = bytes(block.input)
        if not given.startswith(b"{"):
            raise BadInput("expected an object", where=f"{where}.input")
        return ToolCall(
            id=_needed(block.id, f"{where}.id"),
            name=_needed(block.name, f"{where}.name"),
            arguments=given.decode(),
        )

    def _note(self, block: _Block, where: str) -> None:
        if bytes(block.cache_control) not in _NOTHING:
            self.beyond.add("cache_control")
        cited = bytes(block.citations)
        if (cited.startswith(b"[") and cited != b"[]") or (
            cited.startswith(b"{")
            and faults.decode(cited, _Citing, where=f"{where}.citations").enabled
        ):
            self.beyond.add("citations")


def _needed(value: str | None, where: str) -> str:
    if value is None:
        raise BadInput("is required", where=where)
    return value


def _content(block: _Block, where: str) -> str | list[Raw]:
    """The content of a tool's result or a search result."""
    given = bytes(block.content)
    if given in _NOTHING:
        return ""
    if given.startswith(b"["):
        return faults.decode(given, list[Raw], where=f"{where}.content")
    return faults.decode(given, str, where=f"{where}.content")


def _source(block: _Block, where: str) -> _Source:
    if bytes(block.source) in _NOTHING:
        raise BadInput("is required", where=f"{where}.source")
    source = faults.decode(block.source, _Source, where=f"{where}.source")
    wanted = {"base64": source.data, "url": source.url, "file": source.file_id}
    if wanted.get(source.type, "") is None:
        what = {"base64": "data", "url": "url", "file": "file_id"}[source.type]
        raise BadInput("is required", where=f"{where}.source.{what}")
    return source


def _image(source: _Source, raw: Raw, where: str) -> Part:
    """Read an image; one that lies with the provider stays what it is."""
    if source.type == "base64":
        kind = _needed(source.media_type, f"{where}.source.media_type")
        if not kind.startswith("image/"):
            raise BadInput(
                f"expected an image, got {kind[:40]!r}", where=f"{where}.source.media_type"
            )
        return ImagePart(url=f"data:{kind};base64,{source.data}")
    if source.type == "url":
        url = source.url or ""
        if not url.startswith(("https://", "http://")):
            raise BadInput("must be an https: or http: address", where=f"{where}.source.url")
        return ImagePart(url=url)
    return OpaquePart(kind="image", raw=bytes(raw))
