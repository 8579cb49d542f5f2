"""An answer as a client gets it that speaks Google's dialect: Reply -> bytes of a response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Choice, FinishReason, Reply, TokenLogprob, Usage
from emafusion.domain.query import ToolCall
from emafusion.wire.gemini.turns import Block, object_of

Extras = Mapping[str, str | float | int | Raw]
NO_EXTRAS: Extras = MappingProxyType({})

_REASONS: Mapping[FinishReason, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
}


def encode_reply(
    reply: Reply,
    /,
    *,
    response_id: str,
    model: str,
    thoughts: bool = False,
    extras: Extras = NO_EXTRAS,
) -> bytes:
    """Write a whole answer. `thoughts`: the client asked to see them.

    A reply that came in this dialect is passed on as it came, its own id and unknown fields too;
    only `modelVersion` is replaced. Any other is written in the full official shape.
    """
    if reply.origin is not None and reply.origin.dialect == "gemini":
        fields: Block = {name: Raw(value) for name, value in reply.origin.fields}
        fields["modelVersion"] = model
    else:
        fields = {
            "candidates": [
                _candidate(choice, n, thoughts=thoughts) for n, choice in enumerate(reply.choices)
            ],
            **frame_of(response_id, model),
        }
        if reply.usage is not None:
            fields["usageMetadata"] = usage_of(reply.usage)
    if extras:
        fields["emafusion"] = extras
    return msgspec.json.encode(fields)


def frame_of(response_id: str, model: str, /) -> Block:
    """Make what every piece of a response says of the whole."""
    return {"modelVersion": model, "responseId": response_id}


def candidate_of(parts: list[Block], index: int, /, *, reason: FinishReason | None = None) -> Block:
    """Make one candidate, or a piece of it."""
    candidate: Block = {"content": {"parts": parts, "role": "model"}, "index": index}
    return candidate if reason is None else candidate | {"finishReason": _REASONS[reason]}


def called(call: ToolCall, /) -> Block:
    """Make the part that calls a tool."""
    asked = object_of(call.arguments, "arguments")
    return {"functionCall": {"name": call.name, "args": asked, "id": call.id}}


def usage_of(usage: Usage, /) -> Block:
    """Write the counts; here thoughts are apart from what the candidates say."""
    fields: Block = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.completion_tokens - usage.reasoning_tokens,
        "totalTokenCount": usage.prompt_tokens + usage.completion_tokens,
    }
    if usage.cached_prompt_tokens:
        fields["cachedContentTokenCount"] = usage.cached_prompt_tokens
    if usage.reasoning_tokens:
        fields["thoughtsTokenCount"] = usage.reasoning_tokens
    return fields


def scores_of(logprobs: tuple[TokenLogprob, ...], /) -> Block:
    """Write token log-probabilities."""
    chosen = [{"token": score.token, "logProbability": score.logprob} for score in logprobs]
    return {"chosenCandidates": chosen}


def _candidate(choice: Choice, index: int, *, thoughts: bool) -> Block:
    parts = list(_parts(choice, thoughts=thoughts))
    candidate = candidate_of(parts, index, reason=choice.finish_reason)
    if choice.logprobs:
        candidate["logprobsResult"] = scores_of(choice.logprobs)
    return candidate


def _parts(choice: Choice, *, thoughts: bool) -> Iterator[Block]:
    if choice.reasoning and thoughts:
        yield {"text": choice.reasoning, "thought": True}
    text = choice.text + (choice.refusal or "")
    if text:
        yield {"text": text}
    yield from (called(call) for call in choice.tool_calls)
