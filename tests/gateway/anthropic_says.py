"""What Anthropic's API answers: a whole message with thoughts and a tool, and the same streamed."""

from __future__ import annotations

import json
from typing import Any

Body = dict[str, Any]

MODEL = "claude-opus-5-5"
USAGE: Body = {
    "input_tokens": 25,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
    "output_tokens": 42,
    "service_tier": "standard",
}
THOUGHT: Body = {"type": "thinking", "thinking": "Norway, so Oslo.", "signature": "c2lnbmVk"}
REDACTED: Body = {"type": "redacted_thinking", "data": "ZGF0YQ=="}
TEXT: Body = {"type": "text", "text": "I look it up.", "citations": None}
TOOL: Body = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"city": "Oslo"}}
MESSAGE: Body = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [THOUGHT, REDACTED, TEXT, TOOL],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": USAGE,
    "container": None,
    "from_the_future": {"kept": True},
}


def whole(message: Body = MESSAGE) -> tuple[str, bytes]:
    """The message in one piece: content type and body."""
    return "application/json", json.dumps(message).encode()


def events() -> list[Body]:
    """The same message as the events of a stream."""
    start = {**MESSAGE, "content": [], "stop_reason": None}
    start["usage"] = {**USAGE, "output_tokens": 1}
    return [
        {"type": "message_start", "message": start},
        _start(0, {"type": "thinking", "thinking": "", "signature": ""}),
        {"type": "ping"},
        _delta(0, {"type": "thinking_delta", "thinking": "Norway, "}),
        _delta(0, {"type": "thinking_delta", "thinking": "so Oslo."}),
        _delta(0, {"type": "signature_delta", "signature": "c2lnbmVk"}),
        _stop(0),
        _start(1, REDACTED),
        _stop(1),
        _start(2, {"type": "text", "text": ""}),
        _delta(2, {"type": "text_delta", "text": "I look"}),
        _delta(2, {"type": "text_delta", "text": " it up."}),
        _stop(2),
        _start(3, {**TOOL, "input": {}}),
        _delta(3, {"type": "input_json_delta", "partial_json": ""}),
        _delta(3, {"type": "input_json_delta", "partial_json": '{"city": '}),
        _delta(3, {"type": "input_json_delta", "partial_json": '"Oslo"}'}),
        _stop(3),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"output_tokens": 42},
            "context_management": {"applied_edits": []},
        },
        {"type": "message_stop"},
    ]


def streamed(said: list[Body] | None = None) -> tuple[str, bytes]:
    """The stream: content type and body."""
    told = events() if said is None else said
    framed = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in told)
    return "text/event-stream", "".join(framed).encode()


def _start(index: int, block: Body) -> Body:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, delta: Body) -> Body:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _stop(index: int) -> Body:
    return {"type": "content_block_stop", "index": index}
