"""How many tokens a text has, without a tokenizer: a price per kind of byte.

The rates were fitted on prompts whose providers reported the count.
"""

from __future__ import annotations

from emafusion.domain.query import ImagePart, OpaquePart, Query, TextPart

IMAGE_TOKENS = 800
"""Charged for an image: what a medium-sized one costs at the large providers."""

MESSAGE_TOKENS = 4
"""Charged for a message: its role and separators."""

SAMPLE_CHARS = 20_000
"""Texts beyond this are measured on their start and scaled up."""


_LOWER, _UPPER = bytes(range(97, 123)), bytes(range(65, 91))
_BEYOND = bytes(range(128, 256))
_OTHER = 0.45  # digits and punctuation
_RATES = ((_LOWER, 0.19), (b" ", 0.08), (_UPPER, 0.28), (b"\n", 0.5), (b"\t", 0.3), (b"\r", 0.0))
_BEYOND_RATE = 0.34  # bytes of characters beyond ASCII
"""Tokens per byte."""


def text_tokens(text: str) -> float:
    """Estimate the tokens of a text, >= 0.

    >>> 5 < text_tokens("What is the capital of France?") < 10
    True
    """
    sample = text[:SAMPLE_CHARS]
    if not sample:
        return 0.0
    return _bytes_tokens(sample) * len(text) / len(sample)


def prompt_tokens(query: Query) -> int:
    """Estimate the tokens of the whole conversation, tools and schema included; at least 1."""
    texts: list[str] = []
    total = float(MESSAGE_TOKENS * len(query.messages))
    for message in query.messages:
        for part in message.parts:
            match part:
                case TextPart(text=text):
                    texts.append(text)
                case ImagePart():
                    total += IMAGE_TOKENS
                case OpaquePart(raw=raw):
                    total += min(len(raw) / 4, IMAGE_TOKENS)
        total += sum(len(call.name) + len(call.arguments) for call in message.tool_calls) / 3
    return max(1, round(total + _texts_tokens(texts) + _around(query)))


def _texts_tokens(texts: list[str]) -> float:
    """Tokens of several texts, at once where they are short."""
    joined = "".join(texts)
    if len(joined) <= SAMPLE_CHARS:
        return _bytes_tokens(joined)
    return sum(map(text_tokens, texts))


def _bytes_tokens(text: str) -> float:
    data = text.encode("utf-8", "replace")
    tokens = 0.0
    for kind, rate in _RATES:
        rest = data.translate(None, kind)
        tokens += rate * (len(data) - len(rest))
        data = rest
    if not data.isascii():
        rest = data.translate(None, _BEYOND)
        tokens += _BEYOND_RATE * (len(data) - len(rest))
        data = rest
    return tokens + _OTHER * len(data)


def _around(query: Query) -> float:
    """Tokens of tools and schema."""
    tools = sum(
        text_tokens(tool.name + tool.description) + len(tool.schema or b"") / 4
        for tool in query.tools
    )
    return tools + len(query.format.schema or b"") / 4
