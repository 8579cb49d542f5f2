"""A pool without a config: from keys in the environment, from servers found, or what is embedded.

Pure functions: who reads the environment and who asks ports is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

from emafusion.catalog import Catalog
from emafusion.config.models import ModelEntry
from emafusion.config.providers import PROVIDERS, Provider, ProviderName, provider_at
from emafusion.config.tree import is_loopback

CURATED: Mapping[ProviderName, tuple[str, ...]] = MappingProxyType(
    {
        "openai": ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol"),
        "anthropic": ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"),
        "gemini": ("gemini-3.1-flash-lite", "gemini-3.8-flash", "gemini-4-argon"),
        "groq": ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b"),
        "openrouter": (
            "openai/gpt-oss-120b",
            "google/gemini-3.8-flash",
            "anthropic/claude-sonnet-5.5",
        ),
        "deepseek": ("deepseek-flash", "deepseek-v4-pro"),
        "mistral": ("mistral-small-2603", "mistral-large-4"),
        "together": (
            "zai-org/GLM-5.3-Flash",
            "deepseek-ai/DeepSeek-V4.1-Flash",
            "moonshotai/Kimi-K3.1-Pro",
        ),
        "xai": ("grok-4.3", "grok-4.7"),
        "fireworks": (
            "accounts/fireworks/models/glm-5p3-flash",
            "accounts/fireworks/models/deepseek-v4p1-flash",
            "accounts/fireworks/models/kimi-k3p1-pro",
        ),
        "cerebras": ("gpt-oss-120b", "qwen-3.8-27b"),
        "moonshot": ("kimi-k2.6", "kimi-k3.1-pro"),
        "zai": ("GLM-5.3-Flash", "GLM-5.3"),
    }
)
"""A cheap, a middle and a strong model of each provider, as far as it has them."""

EMBEDDED = ("smollm2-135m", "smollm2-135m-fewshot", "smollm2-135m-vote", "calculator")

MOST_PER_SERVER = 6
"""Models taken of one server: some list hundreds."""


class FoundServer(Protocol):
    """A local server that answered: `kind` such as `ollama`, its base address, its model names."""

    @property
    def kind(self) -> str:
        """What it is, in one word."""
        ...

    @property
    def base_url(self) -> str:
        """Address of its OpenAI-compatible API."""
        ...

    @property
    def models(self) -> tuple[str, ...]:
        """What it calls its models."""
        ...


def pool_from_env(env: Mapping[str, str], catalog: Catalog) -> tuple[ModelEntry, ...]:
    """A small pool of each provider whose key is set.

    Only models that the catalog has with a price and that are still served. Where
    `OPENAI_BASE_URL` or `ANTHROPIC_BASE_URL` points elsewhere, that is where they are called; one
    that points to this machine is left to the search for local servers, since it may be ourselves.

    >>> pool = pool_from_env({"GROQ_API_KEY": "made-up"}, Catalog.load())
    >>> [entry.name for entry in pool]
    ['gpt-oss-20b', 'gpt-oss-120b', 'qwen3.8-27b']
    """
    found: list[ModelEntry] = []
    for known in PROVIDERS.values():
        key_env = next((name for name in known.key_envs if env.get(name, "").strip()), None)
        if key_env is not None:
            found += _of_provider(known, key_env, env=env, catalog=catalog)
    return _with_unique_names(found)


def pool_from_servers(found: Iterable[FoundServer]) -> tuple[ModelEntry, ...]:
    """The models of local servers; what they cost is unknown until it is stated."""
    entries = [
        ModelEntry(
            name=_plain(model), provider="openai", base_url=server.base_url, remote_name=model
        )
        for server in found
        for model in [name for name in server.models if _answers(name)][:MOST_PER_SERVER]
    ]
    return _with_unique_names(entries)


def embedded_pool() -> tuple[ModelEntry, ...]:
    """The models that ship with the package, as actions of different price and skill.

    >>> [entry.name for entry in embedded_pool()][-1]
    'calculator'
    """
    return tuple(ModelEntry(name=name, provider="local") for name in EMBEDDED)


def _of_provider(
    known: Provider, key_env: str, *, env: Mapping[str, str], catalog: Catalog
) -> Iterator[ModelEntry]:
    """Curated models of a provider, at the address that the environment tells."""
    base_url = env.get(known.base_url_env or "", "").strip() or None
    if base_url is not None and is_loopback(_hostname(base_url)):
        return
    home = known.name if base_url is None else provider_at(base_url) or known.name
    for remote_name in CURATED.get(PROVIDERS[home].name, ()):
        entry = catalog.entry(remote_name, home)
        if entry is not None and entry.model.price is not None and not entry.retired:
            yield ModelEntry(
                name=_plain(remote_name.rpartition("/")[2]),
                provider=known.name,
                base_url=base_url,
                api_key_env=None if base_url is None and key_env == known.key_envs[0] else key_env,
                remote_name=remote_name,
            )


def _with_unique_names(found: Iterable[ModelEntry]) -> tuple[ModelEntry, ...]:
    """Entries whose names differ: later ones of the same name get their provider in front."""
    taken: set[str] = set()
    unique: list[ModelEntry] = []
    for entry in found:
        options = (entry.name, f"{entry.provider}/{entry.name}", *_numbered(entry.name))
        name = next(option for option in options if option.casefold() not in taken)
        taken.add(name.casefold())
        same = entry.remote_name == name
        unique.append(replace(entry, name=name, remote_name=None if same else entry.remote_name))
    return tuple(unique)


def _numbered(name: str) -> Iterator[str]:
    """Further names, for as many as could ever be needed."""
    return (f"{name}-{number}" for number in range(2, 10_000))


def _plain(name: str) -> str:
    """A name as the config allows it."""
    plain = name.replace(" ", "-").replace(",", "-")
    return (
        f"local-{plain}" if plain.casefold().partition("/")[0] in {"auto", "emafusion"} else plain
    )


def _answers(name: str) -> bool:
    """Whether a model can be asked: it has a name that can be written, and gives no vectors."""
    vectors = any(word in name.casefold() for word in ("embed", "rerank", "bge-", "minilm"))
    return bool(name.strip()) and name.isprintable() and not vectors


def _hostname(base_url: str) -> str:
    try:
        return urlsplit(base_url).hostname or ""
    except ValueError:
        return ""
