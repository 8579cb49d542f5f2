"""A whole answer as a client gets it that speaks Anthropic's dialect: Reply -> bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Choice, FinishReason, Reply, Usage
from emafusion.wire.anthropic.turns import Block, input_of

Extras = Mapping[str, str | float | int | Raw]
NO_EXTRAS: Extras = MappingProxyType({})

_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def encode_reply(
    reply: Reply, /, *, message_id: str, model: str, extras: Extras = NO_EXTRAS
) -> bytes:
    """Write a whole answer.

    A reply that came in this dialect is passed on as it came, its own id and unknown fields too;
    only `model` is replaced. Any other is written in the full official shape.
    """
    if reply.origin is not None and reply.origin.dialect == "anthropic":
        fields: Block = {name: Raw(value) for name, value in reply.origin.fields}
        fields["model"] = model
    else:
        fields = frame_of(message_id, model)
        choice = reply.choices[0]
        fields |= {
            "content": list(_blocks(choice)),
            **ending_of(choice.finish_reason),
            "usage": usage_of(reply.usage),
        }
    if extras:
        fields["emafusion"] = extras
    return msgspec.json.encode(fields)


def frame_of(message_id: str, model: str, /) -> Block:
    """Make a message that says nothing yet."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def ending_of(reason: FinishReason, /) -> Block:
    """Say why the answer ended. Which stop sequence it was, other APIs do not tell."""
    return {"stop_reason": _REASONS[reason], "stop_sequence": None}


def usage_of(usage: Usage | None, /) -> Block:
    """Write the counts; here `input_tokens` leaves out what the cache read or wrote.

    The shape has no word for unknown: clients add these numbers up, so unknown ones are 0, and
    the facts beside them hold no cost then.
    """
    told = usage or Usage()
    cached = told.cached_prompt_tokens + told.cache_write_tokens
    hour = told.hour_write_tokens
    return {
        "input_tokens": max(0, told.prompt_tokens - cached),
        "cache_creation_input_tokens": told.cache_write_tokens,
        "cache_read_input_tokens": told.cached_prompt_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": told.cache_write_tokens - hour,
            "ephemeral_1h_input_tokens": hour,
        },
        "output_tokens": told.completion_tokens,
        "output_tokens_details": {"thinking_tokens": told.reasoning_tokens},
    }


def _blocks(choice: Choice) -> Iterator[Block]:
    if choice.reasoning:
        yield {"type": "thinking", "thinking": choice.reasoning, "signature": ""}
    text = choice.text + (choice.refusal or "")
    if text:
        yield {"type": "text", "text": text}
    for call in choice.tool_calls:
        asked = input_of(call.arguments)
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": asked}
