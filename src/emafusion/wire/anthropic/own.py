"""A query that came in Anthropic's dialect, on its way to Anthropic: as it came, suited to a model.

A model that the client named gets exactly what the client wrote. Where the choice was ours, what
the chosen model's generation refuses is said in its own way, or left out and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec
from msgspec import Raw, structs

from emafusion.domain.command import Call
from emafusion.domain.model import Candidate
from emafusion.domain.query import OpaquePart, Query
from emafusion.wire.anthropic.generation import generation_of
from emafusion.wire.anthropic.inbound import COUNTING, WITHHELD
from emafusion.wire.anthropic.thinking import thinking_of
from emafusion.wire.anthropic.turns import Block
from emafusion.wire.beyond import beyond_of, most_tokens

_OURS = frozenset({"emafusion", "model", "stream"})
_SAMPLING = ("temperature", "top_p", "top_k")
_DEFAULT_MAX_TOKENS = 4096
_USUAL_EFFORT = "medium"


def is_own(query: Query, /) -> bool:
    """Whether the query came in this dialect."""
    return query.origin is not None and query.origin.dialect in ("anthropic", COUNTING)


def own_fields(call: Call, /) -> Block:
    """Give the fields to send, all but `model` and `stream`."""
    query = call.query
    given = query.origin.fields if query.origin is not None else ()
    fields: Block = {name: Raw(value) for name, value in given if name not in _OURS}
    if query.origin is not None and query.origin.dialect == COUNTING:
        fields.pop("max_tokens", None)
    if has_unsigned(query):
        fields["messages"] = _signed_only(_bytes(fields["messages"]))
    if not is_named(query, call.candidate):
        _suit(fields, call)
    return fields


def lost_of(query: Query, candidate: Candidate, /) -> Iterator[str]:
    """Name what this model does not get of the query."""
    if has_unsigned(query):
        yield "thinking"
    yield from (name for name in WITHHELD.values() if name in beyond_of(query))
    if is_named(query, candidate):
        return
    names = (
        {name for name, value in query.origin.fields if value != b"null"} if query.origin else ()
    )
    yield from (name for name in _refused(candidate) if name in names)
    if "thinking" in names and "reasoning" not in candidate.model.abilities:
        yield "reasoning_effort"


def is_named(query: Query, candidate: Candidate, /) -> bool:
    """Whether the client itself named this model."""
    return query.requested in (candidate.name, candidate.remote_name)


def has_unsigned(query: Query, /) -> bool:
    """Whether the conversation holds thoughts of other models, which have no signature.

    They came from us, translated; Anthropic refuses them.
    """
    return any(
        isinstance(part, OpaquePart) and _is_unsigned(part.raw)
        for message in query.messages
        if message.role == "assistant"
        for part in message.parts
    )


class _Thought(msgspec.Struct):
    type: str = ""
    signature: str | None = None


def _is_unsigned(raw: bytes | Raw) -> bool:
    thought = msgspec.json.decode(raw, type=_Thought)
    return thought.type == "thinking" and not thought.signature


def _signed_only(messages: bytes) -> list[Block]:
    """The same turns without thoughts that have no signature, and without turns of nothing else."""
    turns = msgspec.json.decode(messages, type=list[dict[str, Raw]])
    signed: list[Block] = []
    for turn in turns:
        kept = _kept(turn)
        if kept is None:
            signed.append(dict(turn))
        elif kept:
            rest: Block = dict(turn)
            signed.append(rest | {"content": kept})
    return signed


def _kept(turn: dict[str, Raw]) -> list[Raw] | None:
    """The blocks of an assistant's turn that may stay; None where it is one text."""
    if bytes(turn["role"]) != b'"assistant"' or not bytes(turn["content"]).startswith(b"["):
        return None
    blocks = msgspec.json.decode(turn["content"], type=list[Raw])
    return [block for block in blocks if not _is_unsigned(block)]


def _refused(candidate: Candidate) -> tuple[str, ...]:
    """Parameters that this model's generation refuses."""
    return () if generation_of(candidate.remote_name).sampling else _SAMPLING


def _suit(fields: Block, call: Call) -> None:
    """Say in this model's own way what the client said in another generation's."""
    if "max_tokens" in fields:
        fields["max_tokens"] = most_tokens(call)
    for name in _refused(call.candidate):
        fields.pop(name, None)
    asked = msgspec.json.decode(_bytes(fields.get("thinking")), type=_Kind | None)
    kind = asked.type if asked is not None else "disabled"
    adaptive = generation_of(call.candidate.remote_name).adaptive
    if "reasoning" not in call.candidate.model.abilities:
        fields.pop("thinking", None)
        _without_effort(fields)
    elif kind == "enabled" and generation_of(call.candidate.remote_name).extra_effort:
        fields["thinking"] = {"type": "adaptive"}
    elif kind == "adaptive" and not adaptive:
        fields["thinking"] = _budget(call) or {"type": "disabled"}
        _without_effort(fields)


class _Kind(msgspec.Struct):
    type: str = ""


def _budget(call: Call) -> Mapping[str, object] | None:
    """The field `thinking` for a model that thinks within a budget; None where none fits."""
    settings = call.query.settings
    effort = settings.reasoning_effort or _USUAL_EFFORT
    query = replace(call.query, settings=structs.replace(settings, reasoning_effort=effort))
    limit = settings.max_tokens or _DEFAULT_MAX_TOKENS
    return thinking_of(structs.replace(call, query=query), limit).field


def _without_effort(fields: Block) -> None:
    config = fields.get("output_config")
    if isinstance(config, Raw) and bytes(config).startswith(b"{"):
        kept = msgspec.json.decode(config, type=dict[str, Raw])
        kept.pop("effort", None)
        fields["output_config"] = kept
        if not kept:
            del fields["output_config"]


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, Raw) else b"null"
