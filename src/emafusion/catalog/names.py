"""The many ways one model is written, and the order in which to try them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

_VARIANT = re.compile(r":(?:free|nitro|floor|exacto|online|extended|thinking|beta)$")
_DATE = re.compile(r"[-@](?:20\d\d-[01]\d-[0-3]\d|20\d\d[01]\d[0-3]\d)(?:-v\d+:\d+)?$|-latest$")
_HOSTED = re.compile(
    r"^(?:(?:us|eu|apac|global)\.)?(?:anthropic|amazon|cohere|deepseek|meta|mistral|openai|qwen)\."
)


_VENDORS: Mapping[str, str] = MappingProxyType(
    {
        "deepseek-ai": "deepseek",
        "google": "gemini",
        "minimaxai": "minimax",
        "mistralai": "mistral",
        "moonshotai": "moonshot",
        "x-ai": "xai",
        "z-ai": "zai",
        "zai-org": "zai",
    }
)
"""How vendors are written in front of their models, where it is not our name of the provider."""


class Form(NamedTuple):
    """A looser way to write a name.

    `same_price`: whether the price of the model holds for this way to write it. `prefix`: what was
    taken off in front.
    """

    name: str
    same_price: bool = True
    prefix: str = ""

    def sold_by(self, provider: str) -> bool:
        """Whether nothing in front of the name speaks of another host than this provider.

        >>> Form("gpt-5", prefix="openai/").sold_by("openai")
        True
        >>> Form("gpt-5", prefix="azure/").sold_by("openai")
        False
        """
        parts = [part for part in self.prefix.split("/") if part not in {"", "models"}]
        return self.same_price and all(_VENDORS.get(part, part) == provider for part in parts)


def folded(name: str) -> str:
    """Name without differences of case and outer blanks.

    >>> folded(" Claude-Haiku-4-5 ")
    'claude-haiku-4-5'
    """
    return name.strip().casefold()


def forms(name: str) -> Iterator[Form]:
    """Ways to write `name`, the strictest first.

    A variant such as `:free` and an id of a cloud (`us.anthropic.claude-...`) may cost something
    else than the model itself; a dated snapshot costs the same unless the catalog lists it.

    >>> [form.name for form in forms("openrouter/openai/GPT-5-2025-08-07")]
    ['openrouter/openai/gpt-5-2025-08-07', 'openrouter/openai/gpt-5', 'openai/gpt-5-2025-08-07', \
'openai/gpt-5', 'gpt-5-2025-08-07', 'gpt-5']
    >>> list(forms("llama:free"))[-1]
    Form(name='llama', same_price=False, prefix='')
    """
    whole = folded(name)
    plain = _HOSTED.sub("", _VARIANT.sub("", whole))
    if plain != whole:
        yield Form(whole)
    for short in _shorter(plain):
        prefix = plain[: len(plain) - len(short)]
        yield Form(short, plain == whole, prefix)
        undated = _DATE.sub("", short)
        if undated != short:
            yield Form(undated, plain == whole, prefix)


def split_provider(name: str, providers: frozenset[str]) -> tuple[str | None, str]:
    """Take a known provider off the front of a name.

    >>> split_provider("groq/llama-3.1-8b-instant", frozenset({"groq"}))
    ('groq', 'llama-3.1-8b-instant')
    >>> split_provider("llama-3.1-8b-instant", frozenset({"groq"}))
    (None, 'llama-3.1-8b-instant')
    """
    head, _, rest = name.strip().partition("/")
    return (head.casefold(), rest) if rest and head.casefold() in providers else (None, name)


def _shorter(name: str) -> Iterator[str]:
    """The name, then what is left as each `prefix/` is taken off."""
    yield name
    while "/" in name:
        name = name.partition("/")[2]
        yield name
