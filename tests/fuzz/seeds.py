"""What fuzzing starts from: one rich example of each thing that is read."""

from __future__ import annotations

import json

TOOL = {"name": "f", "description": "d", "parameters": {"type": "object"}}
_CHAT = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "4"},
    ],
    "tools": [{"type": "function", "function": TOOL}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    "temperature": 0.5,
    "n": 2,
    "stop": ["x"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "emafusion": {"quality_weight": 0.5, "models": ["a"]},
}
_MESSAGES = {
    "model": "auto",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "tool_use", "id": "1", "name": "f", "input": {}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "4"}]},
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
_CONTENTS = {
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "s"}]},
    "tools": [{"functionDeclarations": [TOOL]}],
    "generationConfig": {"temperature": 0.5, "thinkingConfig": {"thinkingBudget": 1}},
}
_RESPONSES = {
    "model": "auto",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "4"},
    ],
    "tools": [{"type": "function", **TOOL}],
    "text": {"format": {"type": "text"}},
    "reasoning": {"effort": "low"},
}
_REPLIES = (
    {"id": "1", "model": "m", "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]},
    {
        "id": "1",
        "model": "m",
        "content": [{"type": "text", "text": "x"}],
        "stop_reason": "end_turn",
    },
    {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]},
    {"error": {"message": "no", "type": "t", "code": 429, "status": "RESOURCE_EXHAUSTED"}},
)
_STREAM = (
    b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"x"}}\n\n: wait\r\n\r\ndata: [DONE]\n\n'
)
_HTTP = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
)


def _json(*values: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(value).encode() for value in values)


SEEDS: dict[str, tuple[bytes, ...]] = {
    "chat": _json(_CHAT),
    "messages": _json(_MESSAGES),
    "contents": _json(_CONTENTS),
    "responses": _json(_RESPONSES),
    "replies": _json(*_REPLIES),
    "streams": (_STREAM,),
    "sse": (b"\x80" + _STREAM,),
    "http": (_HTTP,),
}
"""Target -> examples."""
