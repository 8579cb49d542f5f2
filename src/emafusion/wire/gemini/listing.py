"""The list of models as clients of Google's API read it."""

from __future__ import annotations

import msgspec

_VERBS = ("generateContent", "streamGenerateContent", "countTokens")


def encode_models(names: tuple[str, ...], /) -> bytes:
    """Write the list of models, which is never cut into pages."""
    return msgspec.json.encode({"models": [_entry(name) for name in names]})


def encode_model(name: str, /) -> bytes:
    """Write one model."""
    return msgspec.json.encode(_entry(name))


def _entry(name: str) -> dict[str, object]:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "supportedGenerationMethods": _VERBS,
    }
