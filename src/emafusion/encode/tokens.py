"""How many tokens a text has, without a tokenizer: a price per kind of byte.

The rates were fitted on prompts whose providers reported the count.
"""

from __future__ import annotations

import numpy as np

from emafusion.domain.query import ImagePart, Message, OpaquePart, Query, TextPart

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
    data = np.frombuffer(sample.encode("utf-8", "replace"), np.uint8)
    return float(_RATES[data].sum()) * len(text) / len(sample)


def prompt_tokens(query: Query) -> int:
    """Estimate the tokens of the whole conversation, tools and schema included; at least 1."""
    tools = sum(
        text_tokens(tool.name + tool.description) + len(tool.schema or b"") / 4
        for tool in query.tools
    )
    schema = len(query.format.schema or b"") / 4
    return max(1, round(sum(map(_message_tokens, query.messages)) + tools + schema))


def _message_tokens(message: Message) -> float:
    """Tokens of one message."""
    total = float(MESSAGE_TOKENS)
    for part in message.parts:
        match part:
            case TextPart(text=text):
                total += text_tokens(text)
            case ImagePart():
                total += IMAGE_TOKENS
            case OpaquePart(raw=raw):
                total += min(len(raw) / 4, IMAGE_TOKENS)
    calls = (len(call.name) + len(call.arguments) for call in message.tool_calls)
    return total + sum(calls) / 3
