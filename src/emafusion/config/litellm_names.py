"""LiteLLM's names of models (`provider/model`) -> who serves them here, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emafusion.config.providers import PROVIDERS, ProviderName

_NATIVE: Mapping[str, str] = MappingProxyType(
    {
        "together_ai": "together",
        "fireworks_ai": "fireworks",
        "google": "gemini",
        **{name: name for name in PROVIDERS if name not in {"local", "litellm"}},
    }
)
"""Prefixes of providers that are called natively here."""

_SERVERS: Mapping[str, str | None] = MappingProxyType(
    {
        "ollama": "http://127.0.0.1:11434/v1",
        "ollama_chat": "http://127.0.0.1:11434/v1",
        "lm_studio": "http://127.0.0.1:1234/v1",
        "hosted_vllm": "http://127.0.0.1:8000/v1",
        "llamafile": "http://127.0.0.1:8080/v1",
        "custom_openai": None,
        "openai_like": None,
    }
)
"""Prefixes of servers that speak OpenAI's API, with their usual address."""

_BARE = (("claude", "anthropic"), ("gemini", "gemini"))
"""Beginnings of names without a prefix that are not OpenAI's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Who serves a model, what it is called there, and the address if it is not the usual one."""

    provider: ProviderName
    remote_name: str
    base_url: str | None = None


def place_of(model: str, base_url: str | None) -> Place:
    """Where a LiteLLM model name points; everything without a native way goes through the library.

    >>> place_of("groq/llama-3.3-70b-versatile", None)
    Place(provider='groq', remote_name='llama-3.3-70b-versatile', base_url=None)
    >>> place_of("ollama/qwen3:8b", "http://10.0.0.5:11434")
    Place(provider='openai', remote_name='qwen3:8b', base_url='http://10.0.0.5:11434/v1')
    >>> place_of("azure/my-gpt", None).provider
    'litellm'
    """
    prefix, _, rest = model.partition("/")
    if not rest:
        home = next((name for start, name in _BARE if model.startswith(start)), "openai")
        return Place(PROVIDERS[home].name, model, base_url)
    if prefix in _SERVERS:
        return Place("openai", rest, _versioned(base_url) or _SERVERS[prefix])
    native = _NATIVE.get(prefix)
    if native is None:
        return Place("litellm", model, base_url)
    return Place(PROVIDERS[native].name, rest, base_url)


def _versioned(base_url: str | None) -> str | None:
    """An address with the API's version, which LiteLLM wants left out for some servers."""
    if base_url is None or re.search(r"/v\d+/?$", base_url):
        return base_url
    return base_url.rstrip("/") + "/v1"
