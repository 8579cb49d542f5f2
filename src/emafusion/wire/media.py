"""Images, sounds and documents inside a message, in one form for the dialects that want bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from emafusion.domain.query import ImagePart, OpaquePart, Part

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*;base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Content with its type; either `data` (base64) or `url` is set."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class _Audio(Struct):
    data: str = ""
    format: str = "wav"


class _File(Struct):
    file_data: str | None = None


class _Source(Struct):
    media_type: str = "application/pdf"
    data: str | None = None
    url: str | None = None


class _Opaque(Struct):
    input_audio: _Audio | None = None
    file: _File | None = None
    source: _Source | None = None


def media_of(part: Part, /) -> Media | None:
    """Read an image, OpenAI's `input_audio` and `file`, Anthropic's `document`; else None.

    >>> media_of(ImagePart(url="data:image/png;base64,QUJD"))
    Media(media_type='image/png', data='QUJD', url=None)
    """
    if isinstance(part, ImagePart):
        return _address(part.url)
    if not isinstance(part, OpaquePart):
        return None
    try:
        opaque = msgspec.json.decode(part.raw, type=_Opaque)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if opaque.input_audio is not None:
        return Media(media_type=f"audio/{opaque.input_audio.format}", data=opaque.input_audio.data)
    if opaque.file is not None and opaque.file.file_data:
        return _address(opaque.file.file_data)
    return _document(opaque.source) if part.kind == "document" else None


def _document(source: _Source | None) -> Media | None:
    if source is not None and source.data is not None:
        return Media(media_type=source.media_type, data=source.data)
    return _address(source.url) if source is not None and source.url else None


def _address(url: str) -> Media | None:
    found = _DATA_URL.match(url)
    if found:
        return Media(media_type=found.group(1) or "application/pdf", data=url[found.end() :])
    return Media(url=url) if url.startswith(("https://", "http://")) else None
