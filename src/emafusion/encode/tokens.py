"""How many tokens a text has, without a tokenizer: a price per kind of byte.

The rates were fitted on prompts whose providers reported the count.
"""

from __future__ import annotations

import numpy as np

from emafusion.domain.query import ImagePart, OpaquePart, Query, TextPart

IMAGE_TOKENS = 800
"""Charged for an image: what a medium-sized one costs at the large providers."""

MESSAGE_TOKENS = 4
"""Charged for a message: its role and separators."""

SAMPLE_CHARS = 20_000
"""Texts beyond this are measured on their start and scaled up."""


def _rates() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Tokens per byte: float64[256]."""
    rates = np.full(256, 0.34)  # bytes of characters beyond ASCII
    rates[:128] = 0.45  # punctuation
    for low, high, rate in ((65, 90, 0.28), (97, 122, 0.19), (48, 57, 0.45)):
        rates[low : high + 1] = rate
    rates[[9, 10, 13, 32]] = (0.3, 0.5, 0.0, 0.08)
    return rates


_RATES = _rates()


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
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    return float(np.add.reduce(_RATES.take(data)))


def _around(query: Query) -> float:
    """Tokens of tools and schema."""
    tools = sum(
        text_tokens(tool.name + tool.description) + len(tool.schema or b"") / 4
        for tool in query.tools
    )
    return tools + len(query.format.schema or b"") / 4
