"""Keys taken out of other people's texts before they reach a log or a client."""

from __future__ import annotations

import re

LIMIT = 400
"""Characters of a provider's message that are kept."""

_KEYS = re.compile(
    r"""
      \b(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|pplx|csk|tgp|ema)[-_][A-Za-z0-9_*.…-]{6,}
    | \bAIza[A-Za-z0-9_-]{10,}                                    # Google
    | \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}             # JSON web tokens
    | \b(?:Bearer|Basic)\s+[A-Za-z0-9+/_.~=-]{6,}
    | (?<=[?&]key=)[^&\s"']+
    | \b[A-Za-z0-9+/_]{32,}={0,2}                                 # any long run without a break
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?i)\b(api[-_ ]?key|token|secret|password|authorization)"
    r"(\s*[:=]\s*|\s+(?:provided|given):\s*)"
    r"[\"']?[^\s\"',;)]{4,}"
)


def mask(text: str, /) -> str:
    r"""Make one short line of `text` in which nothing looks like a key.

    >>> mask("Incorrect API key provided: sk-proj-abc123def456. See the docs.")
    'Incorrect API key provided: *** See the docs.'
    >>> mask("model gpt-5-mini-2025-08-07 is\n overloaded")
    'model gpt-5-mini-2025-08-07 is overloaded'
    """
    text = " ".join(text[: 4 * LIMIT].split())
    text = "".join(char for char in text if char.isprintable())
    text = _NAMED.sub(r"\1\2***", text)
    text = _KEYS.sub("***", text)
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 1]}…"
