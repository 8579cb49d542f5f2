"""A whole message of Anthropic -> Reply."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Choice, Reply, Usage
from emafusion.domain.errors import Garbled
from emafusion.domain.query import Origin, ToolCall
from emafusion.wire.anthropic.ending import StopDetails, end_of
from emafusion.wire.anthropic.usage import UsageFields
from emafusion.wire.error_body import read_trouble
from emafusion.wire.reading import read


class _Block(Struct):
    type: str
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw(b"{}")


class _Message(Struct):
    type: str = "message"
    content: list[_Block] | None = None
    model: str = ""
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    usage: UsageFields | None = None
    input_tokens: int | None = None


_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_DECODER = msgspec.json.Decoder(_Message)


def decode_reply(body: bytes, /) -> Reply:
    """Read a reply. Raises `Garbled`, or the failure that an error object names.

    The reply to a question for a count says nothing but its usage.
    """
    fields = read(body, _FIELDS, "reply")
    message = read(body, _DECODER, "reply")
    if message.type == "error":
        raise read_trouble(body).failure(None, {})
    if message.content is None and message.input_tokens is not None:
        counted = Usage(prompt_tokens=message.input_tokens)
        return Reply(choices=(Choice(),), model="", usage=counted)
    if message.content is None:
        raise Garbled("upstream's reply has no content")
    return Reply(
        choices=(_choice(message, message.content),),
        model=message.model,
        usage=message.usage.usage() if message.usage else None,
        origin=Origin(
            dialect="anthropic", fields=tuple((name, bytes(raw)) for name, raw in fields.items())
        ),
    )


def _choice(message: _Message, blocks: list[_Block]) -> Choice:
    details = message.stop_details
    return Choice(
        text="".join(block.text or "" for block in blocks if block.type == "text"),
        tool_calls=tuple(
            ToolCall(
                id=block.id or "", name=block.name or "", arguments=bytes(block.input).decode()
            )
            for block in blocks
            if block.type == "tool_use"
        ),
        finish_reason=end_of(message.stop_reason),
        refusal=(details.explanation or None) if details else None,
        reasoning="".join(block.thinking or "" for block in blocks) or None,
    )
