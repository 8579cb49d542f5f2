"""What a reply and a chunk have in common: tool calls, log-probabilities, why it ended."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import FinishReason, TokenLogprob
from emafusion.domain.errors import Overloaded

_ENDS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    # Said by servers that are nearly OpenAI's.
    "max_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
}
_BROKEN = frozenset({"error", "insufficient_system_resource", "abort"})


class Function(Struct):
    """A function's name and arguments, whole or a fragment."""

    name: str | None = None
    arguments: str | dict[str, Raw] | None = None


class Custom(Struct):
    """A custom tool's name and input."""

    name: str | None = None
    input: str | None = None


class Called(Struct):
    """One tool call, whole or a fragment."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Custom | None = None

    @property
    def name(self) -> str | None:
        """Name of the tool."""
        named = self.function or self.custom
        return named.name if named else None

    @property
    def arguments(self) -> str:
        """Arguments as the model wrote them; as JSON where a server sends an object."""
        if self.custom is not None:
            return self.custom.input or ""
        given = self.function.arguments if self.function else None
        return given or "" if not isinstance(given, dict) else msgspec.json.encode(given).decode()


class OtherScore(Struct):
    """A token that might have stood there."""

    token: str
    logprob: float


class TokenScore(Struct):
    """One token with its log-probability, and those of others where they were asked for."""

    token: str
    logprob: float | None = None
    top_logprobs: list[OtherScore] | None = None

    @property
    def others(self) -> tuple[tuple[str, float], ...]:
        """The other tokens with theirs."""
        return tuple((other.token, other.logprob) for other in self.top_logprobs or ())


class Logprobs(Struct):
    """Log-probabilities: OpenAI's list, or two lists side by side as others write them."""

    content: list[TokenScore] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None

    def read(self) -> tuple[TokenLogprob, ...]:
        """Give the tokens that have a value."""
        pairs = zip(self.tokens or (), self.token_logprobs or (), strict=False)
        scores = [*(self.content or ()), *(TokenScore(token, value) for token, value in pairs)]
        return tuple(
            TokenLogprob(token=score.token, logprob=score.logprob, others=score.others)
            for score in scores
            if score.logprob is not None
        )


class Piece(Struct):
    """A part of content given as a list; reasoning comes as `thinking`."""

    type: str = "text"
    text: str | None = None
    thinking: str | list[Piece] | None = None


def text_of(content: str | list[Piece] | None, /) -> str:
    """Join the text of a content."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(piece.text or "" for piece in content)


def thought_of(content: str | list[Piece] | None, /) -> str:
    """Join the reasoning inside a content."""
    if content is None or isinstance(content, str):
        return ""
    return "".join(text_of(piece.thinking) for piece in content)


def end_of(reason: str, /) -> FinishReason:
    """Read a finish reason; one we do not know means that the model stopped by itself.

    Raises `Overloaded` for those that say the server gave up.
    """
    if reason in _BROKEN:
        raise Overloaded(f"upstream ended the answer with {reason!r}")
    return _ENDS.get(reason, "stop")
