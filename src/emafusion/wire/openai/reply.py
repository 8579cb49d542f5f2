"""A whole reply of an OpenAI-like server -> Reply."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Choice, Reply
from emafusion.domain.errors import Garbled
from emafusion.domain.query import Origin, ToolCall
from emafusion.wire.error_body import read_trouble
from emafusion.wire.openai.payload import (
    Called,
    Function,
    Logprobs,
    Piece,
    end_of,
    text_of,
    thought_of,
)
from emafusion.wire.openai.usage import decode_usage
from emafusion.wire.reading import read


class _Message(Struct):
    content: str | list[Piece] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Called] | None = None
    function_call: Function | None = None


class _Choice(Struct):
    message: _Message
    index: int = 0
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class _Reply(Struct):
    choices: list[_Choice] | None = None
    model: str | None = None
    usage: Raw = Raw()
    error: Raw = Raw()


_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_DECODER = msgspec.json.Decoder(_Reply)


def decode_reply(body: bytes, /) -> Reply:
    """Read a reply. Raises `Garbled`, or the failure that a body with `error` names."""
    fields = read(body, _FIELDS, "reply")
    reply = read(body, _DECODER, "reply")
    if not reply.choices:
        if bytes(reply.error) not in (b"", b"null"):
            raise read_trouble(body).failure(None, {})
        raise Garbled("upstream's reply has no choices")
    choices = sorted(reply.choices, key=lambda choice: choice.index)
    return Reply(
        choices=tuple(_choice(choice) for choice in choices),
        model=reply.model or "",
        usage=decode_usage(reply.usage),
        origin=Origin(
            dialect="openai", fields=tuple((name, bytes(raw)) for name, raw in fields.items())
        ),
    )


def _choice(choice: _Choice) -> Choice:
    message = choice.message
    thought = message.reasoning_content or message.reasoning or thought_of(message.content)
    calls = _calls(message)
    return Choice(
        text=text_of(message.content),
        tool_calls=calls,
        finish_reason=end_of(choice.finish_reason or ("tool_calls" if calls else "stop")),
        refusal=message.refusal or None,
        reasoning=thought or None,
        logprobs=choice.logprobs.read() if choice.logprobs else (),
    )


def _calls(message: _Message) -> tuple[ToolCall, ...]:
    called = list(message.tool_calls or ())
    if message.function_call is not None:
        called.append(Called(function=message.function_call))
    return tuple(
        ToolCall(id=call.id or f"call_{n}", name=call.name or "", arguments=call.arguments)
        for n, call in enumerate(called)
    )
