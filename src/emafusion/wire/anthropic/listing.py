"""The list of models as clients of Anthropic's API read it."""

from __future__ import annotations

import msgspec

_UNKNOWN = "1970-01-01T00:00:00Z"
"""When a model was released, where that is unknown: what the API itself says then."""


def encode_models(names: tuple[str, ...], /) -> bytes:
    """Write the list of models, which is never cut into pages."""
    ends = {"first_id": names[0], "last_id": names[-1]} if names else {}
    return msgspec.json.encode({"data": [_entry(n) for n in names], "has_more": False} | ends)


def encode_model(name: str, /) -> bytes:
    """Write one model."""
    return msgspec.json.encode(_entry(name))


def _entry(name: str) -> dict[str, object]:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": _UNKNOWN,
        "lifecycle": "active",
    }
