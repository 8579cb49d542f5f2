"""Takes out of a reply what a judge asked for and the client did not."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from msgspec import Raw, structs

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Origin


def without_logprobs(reply: Reply, /) -> Reply:
    """The same reply with no token log-probabilities, also where it is passed on as it came."""
    if not any(choice.logprobs for choice in reply.choices):
        return reply
    choices = tuple(structs.replace(choice, logprobs=()) for choice in reply.choices)
    return replace(reply, choices=choices, origin=_origin(reply.origin))


def _origin(origin: Origin | None) -> Origin | None:
    if origin is None or origin.dialect != "openai":
        return origin
    fields = tuple(
        (name, _choices(value) if name == "choices" else value) for name, value in origin.fields
    )
    return structs.replace(origin, fields=fields)


def _choices(raw: bytes) -> bytes:
    choices = msgspec.json.decode(raw, type=list[dict[str, Raw]])
    for choice in choices:
        if "logprobs" in choice:
            choice["logprobs"] = Raw(b"null")
    return msgspec.json.encode(choices)
