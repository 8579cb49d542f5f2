"""Parts of a message: what the Responses API calls them -> what chat completions call them."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.wire import faults

Part = dict[str, object]

_ADDRESSES = ("data:", "https://", "http://")


class _Audio(Struct):
    data: str
    format: str


class _Part(Struct):
    type: str
    text: str | None = None
    image_url: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: _Audio | None = None
    refusal: str | None = None


def parts_of(content: str | list[Raw] | None, where: str) -> str | list[Part]:
    """Rewrite a content; one text alone becomes a string: some servers read nothing else.

    Raises `BadInput` for a part that has no counterpart.
    """
    if content is None:
        raise BadInput("expected a string or an array of parts", where=where)
    if isinstance(content, str):
        return content
    parts = [_part(raw, f"{where}[{n}]") for n, raw in enumerate(content)]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    if len(parts) == 1 and texts:
        return str(texts[0])
    return parts


def _part(raw: Raw, where: str) -> Part:
    part = faults.decode(raw, _Part, where=where)
    match part.type:
        case "input_text" | "output_text" | "text" | "summary_text":
            return {"type": "text", "text": _given(part.text, f"{where}.text")}
        case "refusal":
            return {"type": "refusal", "refusal": _given(part.refusal, f"{where}.refusal")}
        case "input_image":
            return _image(part, where)
        case "input_file":
            return _file(part, where)
        case "input_audio" if part.input_audio is not None:
            audio = {"data": part.input_audio.data, "format": part.input_audio.format}
            return {"type": "input_audio", "input_audio": audio}
        case other:
            raise BadInput(f"parts of type '{other[:60]}' cannot be carried", where=f"{where}.type")


def _image(part: _Part, where: str) -> Part:
    _refuse_ids(part, where)
    url = _given(part.image_url, f"{where}.image_url")
    if not url.startswith(_ADDRESSES):
        raise BadInput("must be a data:, https: or http: address", where=f"{where}.image_url")
    image: Part = {"url": url}
    return {
        "type": "image_url",
        "image_url": image | ({"detail": part.detail} if part.detail else {}),
    }


def _file(part: _Part, where: str) -> Part:
    _refuse_ids(part, where)
    if part.file_url is not None:
        raise BadInput("files are not fetched here; send file_data", where=f"{where}.file_url")
    file: Part = {"file_data": _given(part.file_data, f"{where}.file_data")}
    return {"type": "file", "file": file | ({"filename": part.filename} if part.filename else {})}


def _refuse_ids(part: _Part, where: str) -> None:
    if part.file_id is not None:
        raise BadInput("files are not kept for messages; send the data", where=f"{where}.file_id")


def _given(text: str | None, where: str) -> str:
    if text is None:
        raise BadInput("is required", where=where)
    return text
