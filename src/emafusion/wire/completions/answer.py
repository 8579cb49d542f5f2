"""Answers as `/v1/completions` gives them: whole, or as a stream of chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Choice, Delta, Reply, TokenLogprob, Usage
from emafusion.domain.errors import EmafusionError
from emafusion.wire.completions.scores import first_scores, reply_scores, scores_object
from emafusion.wire.openai.errors import error_object
from emafusion.wire.openai.usage import encode_usage
from emafusion.wire.sse import encode_comment, encode_event

Extras = Mapping[str, str | float | int | Raw]
NO_EXTRAS: Extras = MappingProxyType({})
_DONE = b"data: [DONE]\n\n"


class Frame(Struct, frozen=True, kw_only=True):
    """What is the same in all of an answer. `created`: Unix seconds."""

    completion_id: str
    created: int
    model: str

    def object(self) -> dict[str, object]:
        """The object without its choices."""
        return {
            "id": self.completion_id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
        }


def encode_completion(
    frame: Frame,
    replies: Sequence[Reply],
    prompts: Sequence[str],
    *,
    logprobs: bool,
    extras: Extras = NO_EXTRAS,
) -> bytes:
    """Write a whole answer: the choices of each reply in turn.

    `prompts`: what each answer begins with, empty where it is not to be repeated; `logprobs`:
    whether they were asked for.
    """
    fields = frame.object()
    choices: list[dict[str, object]] = []
    for reply, prompt in zip(replies, prompts, strict=True):
        scores = reply_scores(reply) if logprobs else ()
        for n, choice in enumerate(reply.choices):
            raw = scores[n] if n < len(scores) else None
            logs = choice.logprobs if logprobs else ()
            choices.append(_choice(choice, len(choices), before=prompt, scores=(logs, raw)))
    fields["choices"] = choices
    usage = _sum([reply.usage for reply in replies])
    fields["usage"] = None if usage is None else Raw(encode_usage(usage))
    if extras:
        fields["emafusion"] = extras
    return msgspec.json.encode(fields)


class TextWriter:
    """Writes the chunks of one stream. `before`: what the answer begins with."""

    __slots__ = ("_before", "_begun", "_frame", "_include_usage", "_logprobs", "_offsets")

    def __init__(self, frame: Frame, *, before: str, include_usage: bool, logprobs: bool) -> None:
        self._frame = frame
        self._before = before
        self._include_usage = include_usage
        self._logprobs = logprobs
        self._begun: set[int] = set()
        self._offsets: dict[int, int] = {}

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta; empty bytes for one that holds nothing the client should see."""
        text = delta.text + delta.refusal
        if not (text or delta.reasoning or delta.finish_reason or delta.logprobs):
            return b""
        n = delta.choice
        if n not in self._begun:
            self._begun.add(n)
            text = self._before + text
        choice: dict[str, object] = {
            "index": n,
            "text": text,
            "logprobs": self._scores(delta),
            "finish_reason": _finish(delta.finish_reason),
        }
        if delta.reasoning:
            choice["reasoning_content"] = delta.reasoning
        return self._chunk([choice])

    def final(self, usage: Usage | None, extras: Extras = NO_EXTRAS) -> bytes:
        """Write the usage, if it was asked for, and the end marker."""
        if not self._include_usage:
            return _DONE
        fields: dict[str, object] = {
            "usage": None if usage is None else Raw(encode_usage(usage)),
        }
        if extras:
            fields["emafusion"] = extras
        return self._chunk([], fields) + _DONE

    def error(self, error: EmafusionError, /) -> bytes:
        """Write that the stream failed half-way; no end marker follows."""
        return encode_event(msgspec.json.encode({"error": error_object(error)}))

    def comment(self, text: str, /) -> bytes:
        """Write a comment, which keeps the connection alive."""
        return encode_comment(text)

    def _chunk(
        self, choices: list[dict[str, object]], more: Mapping[str, object] | None = None
    ) -> bytes:
        fields = self._frame.object() | {"choices": choices} | dict(more or {})
        return encode_event(msgspec.json.encode(fields))

    def _scores(self, delta: Delta) -> dict[str, object] | None:
        if not self._logprobs or not delta.logprobs:
            return None
        raw = first_scores(delta.raw) if delta.dialect == "openai" and delta.raw else None
        offset = self._offsets.get(delta.choice, len(self._before))
        self._offsets[delta.choice] = offset + sum(len(score.token) for score in delta.logprobs)
        return scores_object(delta.logprobs, raw, offset=offset)


def _choice(
    choice: Choice,
    index: int,
    *,
    before: str,
    scores: tuple[tuple[TokenLogprob, ...], Raw | None],
) -> dict[str, object]:
    logprobs, raw = scores
    fields: dict[str, object] = {
        "index": index,
        "text": f"{before}{choice.text}{choice.refusal or ''}",
        "logprobs": scores_object(logprobs, raw, offset=len(before)) if logprobs else None,
        "finish_reason": _finish(choice.finish_reason),
    }
    if choice.reasoning:
        fields["reasoning_content"] = choice.reasoning
    return fields


def _finish(reason: str | None) -> str | None:
    """Why it ended; there are no tools in this API."""
    return "stop" if reason == "tool_calls" else reason


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    """Tokens of all answers together; None where one of them is unknown."""
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    if len(known) == 1:
        return known[0]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in known),
        completion_tokens=sum(usage.completion_tokens for usage in known),
        cached_prompt_tokens=sum(usage.cached_prompt_tokens for usage in known),
        cache_write_tokens=sum(usage.cache_write_tokens for usage in known),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in known),
    )
