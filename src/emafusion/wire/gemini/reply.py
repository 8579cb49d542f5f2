"""A whole response of Gemini -> Reply."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Choice, Reply, Usage
from emafusion.domain.errors import Garbled
from emafusion.domain.query import Origin
from emafusion.wire.error_body import read_trouble
from emafusion.wire.gemini.payload import Answer, Response, end_of
from emafusion.wire.reading import read

_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_DECODER = msgspec.json.Decoder(Response)


def decode_reply(body: bytes, /) -> Reply:
    """Read a reply; a blocked prompt is one too, empty with a refusal, and so is a count.

    Raises `Garbled`, or the failure that an error object names.
    """
    fields = read(body, _FIELDS, "reply")
    response = read(body, _DECODER, "reply")
    if "error" in fields:
        raise read_trouble(body).failure(None, {})
    origin = Origin(
        dialect="gemini", fields=tuple((name, bytes(raw)) for name, raw in fields.items())
    )
    return Reply(
        choices=_choices(response),
        model=response.model or "",
        usage=_usage(response),
        origin=origin,
    )


def _usage(response: Response) -> Usage | None:
    if response.counted is not None:
        return Usage(prompt_tokens=response.counted)
    return response.counts.usage() if response.counts else None


def refusal_of(reason: str, /) -> str:
    """Say in words that the prompt was blocked."""
    return f"The provider blocked the prompt ({reason})."


def _choices(response: Response) -> tuple[Choice, ...]:
    if response.counted is not None:
        return (Choice(),)
    if response.blocked is not None:
        return (Choice(finish_reason="content_filter", refusal=refusal_of(response.blocked)),)
    if not response.candidates:
        raise Garbled("upstream's reply has no candidates")
    answers = sorted(response.candidates, key=lambda answer: answer.index)
    return tuple(_choice(answer, response.response_id) for answer in answers)


def _choice(answer: Answer, response_id: str) -> Choice:
    calls = tuple(answer.calls(response_id, 0))
    return Choice(
        text=answer.text,
        tool_calls=calls,
        finish_reason=end_of(answer, has_calls=bool(calls)),
        reasoning=answer.reasoning or None,
        logprobs=answer.logprobs,
    )
