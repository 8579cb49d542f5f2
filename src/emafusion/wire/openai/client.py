"""Replies, chunks, errors and model lists as a client of ours gets them."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.attempt import Delta, Reply, Usage
from emafusion.domain.errors import EmafusionError

Extras = tuple[tuple[str, bytes], ...]
"""Our own facts, name and JSON value; they come in an object `emafusion` beside `usage`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One line of `/v1/models`; `created`: Unix seconds."""

    id: str
    owned_by: str
    created: int = 0


def encode_reply(
    reply: Reply,
    /,
    *,
    completion_id: str,
    created: int,
    model: str,
    extras: Extras = (),
) -> bytes:
    """Write a whole answer."""
    raise NotImplementedError


def encode_delta(delta: Delta, /, *, completion_id: str, created: int, model: str) -> bytes:
    """Write one chunk's JSON (no event framing)."""
    raise NotImplementedError


class ChunkWriter:
    """Writes the events of one stream to a client, framed and ready to send."""

    def __init__(
        self, *, completion_id: str, created: int, model: str, include_usage: bool
    ) -> None:
        raise NotImplementedError

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta; empty bytes for one that holds nothing the client should see."""
        raise NotImplementedError

    def final(self, usage: Usage | None, extras: Extras = ()) -> bytes:
        """Write the usage chunk, if the client asked for it, and the end marker."""
        raise NotImplementedError

    def error(self, error: EmafusionError, /) -> bytes:
        """Write an error event and the end marker: the stream failed half-way."""
        raise NotImplementedError

    def comment(self, text: str, /) -> bytes:
        """Write a comment, which keeps the connection alive."""
        raise NotImplementedError


def deltas_of(reply: Reply, /) -> tuple[Delta, ...]:
    """Cut a whole reply into deltas, to stream an answer that was held back."""
    raise NotImplementedError


def encode_error(error: EmafusionError, /) -> tuple[int, bytes]:
    """HTTP status and body of an error, in OpenAI's shape."""
    raise NotImplementedError


def encode_models(entries: tuple[ModelEntry, ...], /) -> bytes:
    """Write the list of models."""
    raise NotImplementedError


def encode_model(entry: ModelEntry, /) -> bytes:
    """Write one model."""
    raise NotImplementedError
