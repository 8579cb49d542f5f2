"""Events of a generation to bodies of `chat.completion` and `chat.completion.chunk`, and to errors.

A whole answer and the sum of a stream are built from the same events, so they cannot differ.
`usage` has one field more than OpenAI's: `cpu_seconds`, the processor time that the request took
(its share of each batched step, see `run.py`); what it costs is for whoever knows the price of a
core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from .generation import Failed, FinishReason, Piece, Token, Usage


class TopLogprob(msgspec.Struct, frozen=True, kw_only=True):
    """The chosen token once more: the engine reports no other candidates."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(msgspec.Struct, frozen=True, kw_only=True):
    """One token of the answer with its natural log-probability."""

    token: str
    logprob: float
    bytes: list[int] | None
    top_logprobs: list[TopLogprob]


class Logprobs(msgspec.Struct, frozen=True, kw_only=True):
    """Log-probabilities of the tokens of one answer or chunk."""

    content: list[TokenLogprob]
    refusal: None = None


class UsageBody(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens in, tokens out, and processor time in seconds."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cpu_seconds: float


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The message of one choice."""

    content: str
    role: str = "assistant"
    refusal: None = None


class Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one chunk adds to a choice."""

    role: str | None = None
    content: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One finished answer."""

    index: int
    message: AnswerMessage
    finish_reason: FinishReason
    logprobs: Logprobs | None = None


class ChunkChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One choice's part of a chunk."""

    index: int
    delta: Delta
    finish_reason: FinishReason | None = None
    logprobs: Logprobs | None = None


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: UsageBody
    object: str = "chat.completion"
    system_fingerprint: str | None = None


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a stream; the last one may carry only `usage`."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: UsageBody | msgspec.UnsetType | None = msgspec.UNSET
    object: str = "chat.completion.chunk"


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """An error in OpenAI's shape."""

    error: ErrorDetail


@dataclass(slots=True)
class GrowingAnswer:
    """Pieces of one answer, gathered."""

    texts: list[str] = field(default_factory=list[str])
    tokens: list[Token] = field(default_factory=list[Token])
    reason: FinishReason = "stop"

    def add(self, piece: Piece) -> None:
        """Append what a piece brings."""
        self.texts.append(piece.text)
        self.tokens.extend(piece.tokens)

    def choice(self, index: int, *, wants_logprobs: bool) -> Choice:
        """The finished answer as a choice."""
        message = AnswerMessage(content="".join(self.texts))
        logprobs = logprobs_of(self.tokens) if wants_logprobs else None
        return Choice(index=index, message=message, finish_reason=self.reason, logprobs=logprobs)


def logprobs_of(tokens: Sequence[Token]) -> Logprobs:
    """Tokens in OpenAI's shape; `bytes` is null for a token that is only part of a character."""
    return Logprobs(content=[_token_logprob(token) for token in tokens])


def _token_logprob(token: Token) -> TokenLogprob:
    data = list(token.text.encode()) or None
    top = TopLogprob(token=token.text, logprob=token.logprob, bytes=data)
    return TokenLogprob(token=token.text, logprob=token.logprob, bytes=data, top_logprobs=[top])


def usage_body(usage: Usage) -> UsageBody:
    """Usage in OpenAI's shape, plus `cpu_seconds`."""
    return UsageBody(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        cpu_seconds=round(usage.cpu_seconds, 6),
    )


def error_body(failed: Failed) -> ErrorBody:
    """A failure in OpenAI's shape."""
    kind = "server_error" if failed.status >= 500 else "invalid_request_error"
    detail = ErrorDetail(message=failed.message, type=kind, param=failed.param, code=failed.code)
    return ErrorBody(error=detail)
