"""A whole answer as a client of ours gets it: Reply -> bytes of a chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Choice, Reply, TokenLogprob
from emafusion.domain.query import ToolCall
from emafusion.wire.openai.usage import encode_usage

Extras = Mapping[str, str | float | int | Raw]
"""Our own facts by name; they come in an object `emafusion` beside `usage`."""

NO_EXTRAS: Extras = MappingProxyType({})


def encode_reply(
    reply: Reply, /, *, completion_id: str, created: int, model: str, extras: Extras = NO_EXTRAS
) -> bytes:
    """Write a whole answer.

    A reply that came in this dialect is passed on as it came, its own id and unknown fields too;
    only `model` is replaced. Any other is written in the full official shape. `created`: Unix
    seconds.
    """
    if reply.origin is not None and reply.origin.dialect == "openai":
        fields: dict[str, object] = {name: Raw(value) for name, value in reply.origin.fields}
        fields["model"] = model
    else:
        fields = {
            "id": completion_id,
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [_choice(choice, n) for n, choice in enumerate(reply.choices)],
            "usage": Raw(encode_usage(reply.usage)) if reply.usage else None,
            "system_fingerprint": None,
        }
    if extras:
        fields["emafusion"] = extras
    return msgspec.json.encode(fields)


def logprobs_object(logprobs: tuple[TokenLogprob, ...], /) -> dict[str, object] | None:
    """Make the object `logprobs`; None where there are none."""
    if not logprobs:
        return None
    content = [
        {
            "token": score.token,
            "logprob": score.logprob,
            "bytes": list(score.token.encode()),
            "top_logprobs": [],
        }
        for score in logprobs
    ]
    return {"content": content, "refusal": None}


def _choice(choice: Choice, index: int) -> dict[str, object]:
    return {
        "index": index,
        "message": _message(choice),
        "logprobs": logprobs_object(choice.logprobs),
        "finish_reason": choice.finish_reason,
    }


def _message(choice: Choice) -> dict[str, object]:
    """Write the message; content is null where the model only called tools or refused."""
    silent = not choice.text and (choice.tool_calls or choice.refusal is not None)
    fields: dict[str, object] = {
        "role": "assistant",
        "content": None if silent else choice.text,
        "refusal": choice.refusal,
        "annotations": [],
    }
    if choice.reasoning is not None:
        fields["reasoning_content"] = choice.reasoning
    if choice.tool_calls:
        fields["tool_calls"] = [_tool_call(call) for call in choice.tool_calls]
    return fields


def _tool_call(call: ToolCall) -> dict[str, object]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}
