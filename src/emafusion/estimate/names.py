"""Model names: the same model under different spellings, and versions of one line."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s_./:@]+")
_NOISE = re.compile(r"-(?:instruct|inst|it|chat|hf|latest|preview|turbo-instruct)(?=-|$)")
_VERSION = re.compile(
    r"-(?:20\d\d-?[01]\d-?[0-3]\d|20\d{6}|\d\d-\d\d-\d\d|[01]\d[0-3]\d|exp-\d{4}|0\d\d|v\d(?:-\d)?|exp|beta)"
    r"(?=-|$)"
)


def canonical(name: str) -> str:
    """Spell a model name in one way: lower case, dashes, no provider in front.

    >>> canonical("openai/GPT-4o-2024-05-13"), canonical("Meta-Llama-3_1-70B-Instruct")
    ('gpt-4o-2024-05-13', 'llama-3-1-70b-instruct')
    """
    bare = name.rsplit("/", 1)[-1].strip().lower()
    return _SEPARATORS.sub("-", bare).removeprefix("meta-").strip("-")


def line_of(name: str) -> str:
    """Name without date, version tag and tuning suffix: what versions of one model share.

    >>> line_of("gpt-4o-2024-05-13"), line_of("gpt-4o-2024-11-20"), line_of("gpt-4o-mini")
    ('gpt-4o', 'gpt-4o', 'gpt-4o-mini')
    """
    spelled = canonical(name)
    shorter = _NOISE.sub("", _VERSION.sub("", spelled))
    return shorter or spelled
