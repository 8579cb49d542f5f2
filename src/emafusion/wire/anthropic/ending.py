"""Why Claude stopped, in our words."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from emafusion.domain.attempt import FinishReason

_ENDS: Mapping[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class StopDetails(Struct):
    """More about a refusal."""

    explanation: str | None = None


def end_of(reason: str | None, /) -> FinishReason:
    """Read a stop reason; `end_turn`, `stop_sequence`, `pause_turn` and unknown ones are `stop`."""
    return _ENDS.get(reason or "", "stop")
