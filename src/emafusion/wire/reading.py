"""JSON of a provider decoded; what cannot be read is a failure of that provider."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from emafusion.domain.errors import Garbled

T = TypeVar("T")


def read(data: bytes, decoder: msgspec.json.Decoder[T], what: str, /) -> T:
    """Decode; raises `Garbled`, which names `what` it should have been.

    All bytes must be UTF-8, also those that the decoder skips: they may be passed on.
    """
    try:
        data.decode()
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(f"upstream's {what} cannot be read: {error}"[:300]) from None
