"""A response of Google that was held back, as a stream of one piece."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Delta, Reply


def deltas_of(reply: Reply, /) -> tuple[Delta, ...] | None:
    """Give the whole reply as one event; None for a reply of another dialect."""
    origin = reply.origin
    if origin is None or origin.dialect != "gemini":
        return None
    raw = msgspec.json.encode({name: Raw(value) for name, value in origin.fields})
    reason = reply.choices[0].finish_reason
    return (Delta(model=reply.model, dialect="gemini", raw=raw, finish_reason=reason),)
