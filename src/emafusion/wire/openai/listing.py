"""The list of models, as `/v1/models` gives it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One line of `/v1/models`; `created`: Unix seconds."""

    id: str
    owned_by: str
    created: int = 0


def encode_models(entries: tuple[ModelEntry, ...], /) -> bytes:
    """Write the list of models."""
    return msgspec.json.encode({"object": "list", "data": [_entry(entry) for entry in entries]})


def encode_model(entry: ModelEntry, /) -> bytes:
    """Write one model."""
    return msgspec.json.encode(_entry(entry))


def _entry(entry: ModelEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "object": "model",
        "created": entry.created,
        "owned_by": entry.owned_by,
    }
