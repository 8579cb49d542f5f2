"""Gemini's response, whole or a piece of a stream: one form for both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2s

from msgspec import Raw, Struct, field

from emafusion.domain.attempt import FinishReason, TokenLogprob, Usage
from emafusion.domain.errors import Garbled, Rejected
from emafusion.domain.query import ToolCall

_ENDS: Mapping[str, FinishReason] = {
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "ESCALATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
_BROKEN = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)
_REFUSED = frozenset({"MISSING_THOUGHT_SIGNATURE", "PUP_LIMITED_DISABLED"})


class FunctionCall(Struct):
    """A call of a tool."""

    name: str = ""
    args: Raw = Raw(b"{}")
    id: str | None = None


class Part(Struct):
    """A piece of content; `thought` marks reasoning."""

    text: str | None = None
    thought: bool | None = None
    function_call: FunctionCall | None = field(default=None, name="functionCall")


class Content(Struct):
    """What a candidate said."""

    parts: list[Part] | None = None


class Score(Struct):
    """A token with its log-probability."""

    token: str = ""
    log_probability: float | None = field(default=None, name="logProbability")


class Top(Struct):
    """The likeliest tokens of one place."""

    candidates: list[Score] | None = None

    @property
    def pairs(self) -> tuple[tuple[str, float], ...]:
        """Those that have a value."""
        scores = self.candidates or ()
        known = [(score.token, score.log_probability) for score in scores]
        return tuple((token, value) for token, value in known if value is not None)


class Scores(Struct):
    """The tokens that were chosen, and the likeliest of each place where they were asked for."""

    chosen: list[Score] | None = field(default=None, name="chosenCandidates")
    top: list[Top] | None = field(default=None, name="topCandidates")

    def read(self) -> tuple[TokenLogprob, ...]:
        """Give the tokens that have a value."""
        others = [top.pairs for top in self.top or ()]
        return tuple(
            TokenLogprob(
                token=score.token,
                logprob=score.log_probability,
                others=others[n] if n < len(others) else (),
            )
            for n, score in enumerate(self.chosen or ())
            if score.log_probability is not None
        )


class Answer(Struct):
    """One candidate."""

    content: Content | None = None
    finish_reason: str | None = field(default=None, name="finishReason")
    finish_message: str | None = field(default=None, name="finishMessage")
    index: int = 0
    scores: Scores | None = field(default=None, name="logprobsResult")

    @property
    def text(self) -> str:
        """All text but the reasoning."""
        return "".join(part.text or "" for part in self.parts if not part.thought)

    @property
    def reasoning(self) -> str:
        """Summaries of thoughts."""
        return "".join(part.text or "" for part in self.parts if part.thought)

    @property
    def parts(self) -> list[Part]:
        """The pieces of the content."""
        return (self.content.parts if self.content else None) or []

    @property
    def logprobs(self) -> tuple[TokenLogprob, ...]:
        """Log-probabilities, empty where there are none."""
        return self.scores.read() if self.scores else ()

    def calls(self, response_id: str, first: int) -> Iterator[ToolCall]:
        """Give the calls; one without an id gets one made of where and what it is."""
        called = (part.function_call for part in self.parts if part.function_call is not None)
        for n, call in enumerate(called, first):
            arguments = bytes(call.args).decode()
            made = blake2s(f"{response_id} {self.index} {n} {call.name} {arguments}".encode())
            made_id = f"call_{made.hexdigest()[:24]}"
            yield ToolCall(id=call.id or made_id, name=call.name, arguments=arguments)


class Counts(Struct):
    """Token counts."""

    prompt: int | None = field(default=None, name="promptTokenCount")
    cached: int | None = field(default=None, name="cachedContentTokenCount")
    candidates: int | None = field(default=None, name="candidatesTokenCount")
    thoughts: int | None = field(default=None, name="thoughtsTokenCount")
    tool_use: int | None = field(default=None, name="toolUsePromptTokenCount")

    def usage(self) -> Usage | None:
        """Give the counts our way: thoughts are completion, what tools brought in is prompt."""
        if self.prompt is None and self.candidates is None:
            return None
        thoughts = self.thoughts or 0
        return Usage(
            prompt_tokens=(self.prompt or 0) + (self.tool_use or 0),
            completion_tokens=(self.candidates or 0) + thoughts,
            cached_prompt_tokens=self.cached or 0,
            reasoning_tokens=thoughts,
        )


class Feedback(Struct):
    """Why a prompt was blocked."""

    block_reason: str | None = field(default=None, name="blockReason")


class Response(Struct):
    """The whole body, or one event."""

    candidates: list[Answer] | None = None
    counts: Counts | None = field(default=None, name="usageMetadata")
    feedback: Feedback | None = field(default=None, name="promptFeedback")
    model: str | None = field(default=None, name="modelVersion")
    response_id: str = field(default="", name="responseId")
    counted: int | None = field(default=None, name="totalTokens")
    error: Raw = Raw()

    @property
    def blocked(self) -> str | None:
        """Why the prompt was blocked, None if it was not."""
        return self.feedback.block_reason if self.feedback and not self.candidates else None


def end_of(answer: Answer, /, *, has_calls: bool) -> FinishReason:
    """Read a finish reason; a stop after function calls is `tool_calls`.

    Raises `Garbled` where the model's own output was not valid, `Rejected` where the API refuses.
    """
    reason = answer.finish_reason or "STOP"
    if reason in _BROKEN:
        raise Garbled(f"upstream ended with {reason}: {(answer.finish_message or '')[:200]}")
    if reason in _REFUSED:
        raise Rejected(f"upstream ended with {reason}")
    return _ENDS.get(reason, "tool_calls" if has_calls else "stop")
