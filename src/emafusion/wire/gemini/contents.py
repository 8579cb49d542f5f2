"""Turns of a conversation: Google's contents and parts -> Messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar, cast

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.query import (
    ImagePart,
    Message,
    OpaquePart,
    Role,
    TextPart,
    ToolCall,
)
from emafusion.domain.query import Part as Noun
from emafusion.wire import faults
from emafusion.wire.gemini.params import (
    Blob,
    Content,
    FileData,
    FunctionCall,
    FunctionResponse,
    Part,
    camel,
    given,
)

T = TypeVar("T", bound=Struct)

_SOUNDS = ("wav", "mp3")


class _UsualContent(Content, forbid_unknown_fields=True):
    pass


class _UsualPart(Part, rename="camel", forbid_unknown_fields=True):
    pass


_USUAL: Mapping[type[Struct], msgspec.json.Decoder[Struct]] = {
    Content: msgspec.json.Decoder(_UsualContent),
    Part: msgspec.json.Decoder(_UsualPart),
}
"""Readers of objects in which nothing is unusual, which is nearly always so: the quick way."""


class _Result(Struct):
    result: str | None = None
    output: str | None = None


@dataclass(slots=True, kw_only=True)
class Reading:
    """Reads turns; `beyond` gathers names of what only this dialect can say.

    Calls often have no ids here: those without get one by their place, and a result without one
    answers the first call of its name that has none yet.
    """

    beyond: set[str] = field(default_factory=set[str])
    _open: list[ToolCall] = field(default_factory=list[ToolCall])
    _called: int = 0

    def system(self, raw: Raw, where: str, /) -> Iterator[Message]:
        """Read the system instruction."""
        content = self.read(raw, Content, where)
        read = [self.read(one, Part, f"{where}.parts[{n}]") for n, one in enumerate(content.parts)]
        both = enumerate(zip(read, content.parts, strict=True))
        parts = [p for n, (part, one) in both for p in self._part(part, one, f"{where}.parts[{n}]")]
        if not all(isinstance(part, TextPart) for part in parts):
            raise BadInput("takes parts of text only", where=where)
        if parts:
            yield Message(role="system", parts=tuple(parts))

    def turn(self, raw: Raw, where: str, /) -> Iterator[Message]:
        """Read one content; each tool's result becomes a message of its own, before the rest."""
        content = self.read(raw, Content, where)
        if not content.parts:
            raise BadInput("must not be empty", where=f"{where}.parts")
        parts: list[Noun] = []
        calls: list[ToolCall] = []
        for n, one in enumerate(content.parts):
            part = self.read(one, Part, f"{where}.parts[{n}]")
            if given(part.function_response):
                yield self._result(part.function_response, f"{where}.parts[{n}]")
            elif given(part.function_call):
                calls.append(self._call(part, f"{where}.parts[{n}]"))
            else:
                parts.extend(self._part(part, one, f"{where}.parts[{n}]"))
        self._open.extend(calls)
        if parts or calls:
            role: Role = "assistant" if content.role == "model" else "user"
            yield Message(role=role, parts=tuple(parts), tool_calls=tuple(calls))

    def _part(self, part: Part, raw: Raw, where: str) -> Iterator[Noun]:
        if part.thought or part.thought_signature:
            self.beyond.add("thinking")
        if part.thought:
            yield OpaquePart(kind="thinking", raw=bytes(raw))
        elif part.text is not None:
            if part.text:
                yield TextPart(text=part.text)
        elif given(part.inline_data):
            yield _inline(self.read(part.inline_data, Blob, f"{where}.inlineData"))
        elif given(part.file_data):
            yield _file(self.read(part.file_data, FileData, f"{where}.fileData"), raw)
        else:
            kind = next(iter(camel(raw, where)), None)
            if kind is None:
                raise BadInput("expected one of text, inlineData, functionCall ...", where=where)
            yield OpaquePart(kind=kind, raw=bytes(raw))

    def _call(self, part: Part, where: str) -> ToolCall:
        if part.thought_signature:
            self.beyond.add("thinking")
        call = self.read(part.function_call, FunctionCall, f"{where}.functionCall")
        arguments = bytes(call.args) if given(call.args) else b"{}"
        if not arguments.startswith(b"{"):
            raise BadInput("expected an object", where=f"{where}.functionCall.args")
        self._called += 1
        made = call.id or f"call_{self._called}"
        return ToolCall(id=made, name=call.name, arguments=arguments.decode())

    def _result(self, raw: Raw, where: str) -> Message:
        result = self.read(raw, FunctionResponse, f"{where}.functionResponse")
        response = bytes(result.response)
        if not response.startswith(b"{"):
            raise BadInput("expected an object", where=f"{where}.functionResponse.response")
        return Message(
            role="tool",
            parts=(TextPart(text=_text_of(response)),),
            tool_call_id=result.id or self._answered(result.name),
            name=result.name,
        )

    def read(self, raw: Raw, shape: type[T], where: str, /) -> T:
        """Read an object; fields that the nouns do not know are ones that only Google does."""
        usual = _USUAL.get(shape)
        if usual is not None:
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return cast("T", usual.decode(raw))
        fields = camel(raw, where)
        self.beyond |= fields.keys() - set(shape.__struct_encode_fields__)
        return faults.decode(msgspec.json.encode(fields), shape, where=where)

    def _answered(self, name: str) -> str:
        """The id of the call that a result without one answers."""
        call = next((call for call in self._open if call.name == name), None)
        if call is None:
            return name
        self._open.remove(call)
        return call.id


def _text_of(response: bytes) -> str:
    """What a tool gave: its own text where that is all, else the object as JSON."""
    if len(msgspec.json.decode(response, type=dict[str, Raw])) == 1:
        try:
            said = msgspec.json.decode(response, type=_Result)
        except msgspec.ValidationError:
            return response.decode()
        text = said.result if said.result is not None else said.output
        if text is not None:
            return text
    return response.decode()


def _inline(blob: Blob) -> Noun:
    """Content in place, in the form in which every dialect understands it."""
    kind, _, ending = blob.mime_type.partition("/")
    address = f"data:{blob.mime_type};base64,{blob.data}"
    if kind == "image":
        return ImagePart(url=address)
    if kind == "audio" and ending in _SOUNDS:
        sound = {"type": "input_audio", "input_audio": {"data": blob.data, "format": ending}}
        return OpaquePart(kind="input_audio", raw=msgspec.json.encode(sound))
    file = {"filename": f"document.{ending}", "file_data": address}
    return OpaquePart(kind="file", raw=msgspec.json.encode({"type": "file", "file": file}))


def _file(file: FileData, raw: Raw) -> Noun:
    is_image = (file.mime_type or "").startswith("image/")
    if is_image and file.file_uri.startswith(("https://", "http://")):
        return ImagePart(url=file.file_uri)
    return OpaquePart(kind="fileData", raw=bytes(raw))
