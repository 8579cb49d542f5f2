"""A refusal among the parts of an earlier answer, which only OpenAI keeps apart from text."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from emafusion.domain.query import OpaquePart


class _Refusal(Struct):
    refusal: str = ""


def refusal_of(part: OpaquePart, /) -> str | None:
    """Give the words of a refusal, None for any other part.

    >>> refusal_of(OpaquePart(kind="refusal", raw=b'{"type": "refusal", "refusal": "No."}'))
    'No.'
    """
    if part.kind != "refusal":
        return None
    try:
        return msgspec.json.decode(part.raw, type=_Refusal).refusal
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
