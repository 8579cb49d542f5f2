"""Bytes of a request to `/v1/responses` -> what it asks, checked.

What the models here cannot be told is refused by the name of its field.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.wire import faults
from emafusion.wire.body import Fields, fields_of
from emafusion.wire.responses.params import Params

REFUSED: Mapping[str, str] = {
    "access_programs": "cannot be carried to the models here",
    "background_options": "answers are not made in the background here; use /v1/batches",
    "context_management": "conversations are not compacted here",
    "conversation": "conversations are not kept here; use previous_response_id",
    "image": "cannot be carried to the models here",
    "prompt": "prompt templates are not kept here; send input",
}
"""Fields that have no counterpart in chat completions, and what to do instead."""

_ELSEWHERE: Mapping[str, str] = {
    "audio": "a response has no audio",
    "function_call": "in this API it is tool_choice",
    "functions": "in this API it is tools",
    "logprobs": "in this API it is include, with message.output_text.logprobs",
    "max_completion_tokens": "in this API it is max_output_tokens",
    "max_tokens": "in this API it is max_output_tokens",
    "messages": "in this API it is input",
    "modalities": "a response has only text",
    "n": "a response has one answer",
    "reasoning_effort": "in this API it is reasoning.effort",
    "response_format": "in this API it is text.format",
    "verbosity": "in this API it is text.verbosity",
}


class Asked(Struct, frozen=True, kw_only=True):
    """A request that was read: its checked parameters, and every field as it came."""

    params: Params
    fields: Fields

    def field(self, name: str) -> Raw | None:
        """JSON of a field, None where it is absent."""
        found = dict(self.fields).get(name)
        return None if found is None else Raw(found)

    @property
    def items(self) -> tuple[Raw, ...]:
        """Items of the input as they came; a plain text is one message of the user."""
        given = self.params.input
        if given is None:
            return ()
        if isinstance(given, str):
            content = [{"type": "input_text", "text": given}]
            message = {"type": "message", "role": "user", "content": content}
            return (Raw(msgspec.json.encode(message)),)
        return tuple(msgspec.json.decode(dict(self.fields)["input"], type=list[Raw]))

    @property
    def references(self) -> tuple[str, ...]:
        """Ids of kept items that the input names instead of repeating them."""
        given = self.params.input
        if given is None or isinstance(given, str):
            return ()
        return tuple(item.id or "" for item in given if item.type == "item_reference")


def decode_request(body: bytes, /) -> Asked:
    """Read the body of `/v1/responses`. Raises `BadInput` with the field that is wrong.

    >>> decode_request(b'{"model": "auto", "input": "Hello"}').params.input
    'Hello'
    """
    fields = fields_of(body)
    for name, _ in fields:
        if name in _ELSEWHERE:
            raise BadInput(_ELSEWHERE[name], where=name)
    params = faults.decode(body, Params)
    _refuse(params)
    return Asked(params=params, fields=fields)


def _refuse(params: Params) -> None:
    for name, why in REFUSED.items():
        if bytes(getattr(params, name)) not in (b"", b"null"):
            raise BadInput(why, where=name)
    if params.background:
        what = "answers are not made in the background here; leave it out, or use /v1/batches"
        raise BadInput(what, where="background")
    if params.input is None and params.previous_response_id is None:
        raise BadInput("is required", where="input")
    thinking = params.reasoning
    if thinking is not None and thinking.mode not in (None, "standard"):
        raise BadInput("only 'standard' is had here", where="reasoning.mode")
    if thinking is not None and thinking.context not in (None, "auto"):
        raise BadInput("only 'auto' is had here", where="reasoning.context")
