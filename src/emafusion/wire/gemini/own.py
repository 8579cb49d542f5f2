"""A query that came in Google's dialect, on its way to Google: as it came, suited to a model.

A model that the client named gets exactly what the client wrote.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from emafusion.domain.command import Call
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query
from emafusion.wire.beyond import most_tokens
from emafusion.wire.gemini.generation import generation_of
from emafusion.wire.gemini.inbound import COUNTING
from emafusion.wire.gemini.params import Thinking, camel, given, shaped
from emafusion.wire.gemini.thinking import thinking_of
from emafusion.wire.gemini.turns import Block

_OURS = frozenset({"emafusion", "model"})


def is_own(query: Query, /) -> bool:
    """Whether the query came in this dialect."""
    return query.origin is not None and query.origin.dialect in ("gemini", COUNTING)


def own_fields(call: Call, /) -> Block:
    """Give the fields to send."""
    given_fields = call.query.origin.fields if call.query.origin is not None else ()
    fields: Block = {name: Raw(value) for name, value in given_fields if name not in _OURS}
    if call.scored or not is_named(call.query, call.candidate):
        config = fields.get("generationConfig")
        asked = bytes(config) if isinstance(config, Raw) else b"{}"
        suited = _suited(camel(asked, "generationConfig"), call)
        if suited:
            fields["generationConfig"] = suited
    return fields


def counting_fields(call: Call, /) -> Block:
    """Give the fields that ask for a count: the request itself, in one of its own."""
    request = {"model": f"models/{call.candidate.remote_name}"} | own_fields(call)
    return {"generateContentRequest": request}


def lost_of(query: Query, candidate: Candidate, /) -> Iterator[str]:
    """Name what this model does not get of the query."""
    if is_named(query, candidate) or "reasoning" in candidate.model.abilities:
        return
    if query.settings.reasoning_effort is not None:
        yield "reasoning_effort"


def is_named(query: Query, candidate: Candidate, /) -> bool:
    """Whether the client itself named this model."""
    return query.requested in (candidate.name, candidate.remote_name)


def _suited(config: dict[str, Raw], call: Call) -> Block:
    fields: Block = dict(config)
    if call.scored:
        fields["responseLogprobs"] = True
    if "maxOutputTokens" in fields and not is_named(call.query, call.candidate):
        fields["maxOutputTokens"] = most_tokens(call)
    asked = config.get("thinkingConfig", Raw())
    if given(asked) and not is_named(call.query, call.candidate):
        fields["thinkingConfig"] = _thinking(asked, call)
    return {name: value for name, value in fields.items() if value is not None}


def _thinking(asked: Raw, call: Call) -> Block | None:
    """How much to think, said as this model's generation takes it."""
    thinking = shaped(asked, Thinking, "generationConfig.thinkingConfig")
    if "reasoning" not in call.candidate.model.abilities:
        return None
    levels = generation_of(call.candidate.remote_name) >= (3, 0)
    said_otherwise = thinking.thinking_level is not None and not levels
    if not said_otherwise:
        return dict(msgspec.json.decode(asked, type=dict[str, Raw]))
    shown: Block = (
        {} if thinking.include_thoughts is None else {"includeThoughts": thinking.include_thoughts}
    )
    return (thinking_of(call) or {}) | shown
