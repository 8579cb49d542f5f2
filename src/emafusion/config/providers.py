"""Providers that the config knows by name: their address, their dialect, their key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

DialectName = Literal["openai", "anthropic", "gemini", "local", "litellm"]

ProviderName = Literal[
    "openai",
    "anthropic",
    "gemini",
    "groq",
    "openrouter",
    "deepseek",
    "mistral",
    "together",
    "xai",
    "fireworks",
    "cerebras",
    "moonshot",
    "zai",
    "local",
    "litellm",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A company's API. `key_envs`: environment variables its clients read, the first preferred.

    `base_url` is None where there is no address to call (models on this machine, or a library
    that knows the address itself). `base_url_env`: variable by which users point its clients
    elsewhere.
    """

    name: ProviderName
    dialect: DialectName
    base_url: str | None = None
    key_envs: tuple[str, ...] = ()
    base_url_env: str | None = None


_ALL = (
    Provider(
        name="openai",
        dialect="openai",
        base_url="https://api.openai.com/v1",
        key_envs=("OPENAI_API_KEY",),
        base_url_env="OPENAI_BASE_URL",
    ),
    Provider(
        name="anthropic",
        dialect="anthropic",
        base_url="https://api.anthropic.com/v1",
        key_envs=("ANTHROPIC_API_KEY",),
        base_url_env="ANTHROPIC_BASE_URL",
    ),
    Provider(
        name="gemini",
        dialect="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        key_envs=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    Provider(
        name="groq",
        dialect="openai",
        base_url="https://api.groq.com/openai/v1",
        key_envs=("GROQ_API_KEY",),
    ),
    Provider(
        name="openrouter",
        dialect="openai",
        base_url="https://openrouter.ai/api/v1",
        key_envs=("OPENROUTER_API_KEY",),
    ),
    Provider(
        name="deepseek",
        dialect="openai",
        base_url="https://api.deepseek.com/v1",
        key_envs=("DEEPSEEK_API_KEY",),
    ),
    Provider(
        name="mistral",
        dialect="openai",
        base_url="https://api.mistral.ai/v1",
        key_envs=("MISTRAL_API_KEY",),
    ),
    Provider(
        name="together",
        dialect="openai",
        base_url="https://api.together.xyz/v1",
        key_envs=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY"),
    ),
    Provider(
        name="xai",
        dialect="openai",
        base_url="https://api.x.ai/v1",
        key_envs=("XAI_API_KEY",),
    ),
    Provider(
        name="fireworks",
        dialect="openai",
        base_url="https://api.fireworks.ai/inference/v1",
        key_envs=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    ),
    Provider(
        name="cerebras",
        dialect="openai",
        base_url="https://api.cerebras.ai/v1",
        key_envs=("CEREBRAS_API_KEY",),
    ),
    Provider(
        name="moonshot",
        dialect="openai",
        base_url="https://api.moonshot.ai/v1",
        key_envs=("MOONSHOT_API_KEY",),
    ),
    Provider(
        name="zai",
        dialect="openai",
        base_url="https://api.z.ai/api/paas/v4",
        key_envs=("ZAI_API_KEY",),
    ),
    Provider(name="local", dialect="local"),
    Provider(name="litellm", dialect="litellm"),
)

PROVIDERS: Mapping[str, Provider] = MappingProxyType({known.name: known for known in _ALL})
"""Every provider by name, in the order in which pools are offered."""


def host_of(base_url: str) -> str:
    """Host and port of an address, in lower case.

    >>> host_of("https://api.groq.com/openai/v1")
    'api.groq.com'
    """
    return urlsplit(base_url).netloc.rpartition("@")[2].casefold()


def place_of(base_url: str) -> str:
    """Name of an address, no two of which have one: several APIs may be behind one host.

    >>> place_of("http://127.0.0.1:8000/v1"), place_of("https://gate.example/team-a/v1/")
    ('127.0.0.1:8000', 'gate.example/team-a/v1')
    """
    parts = urlsplit(base_url)
    host, path = host_of(base_url), parts.path.rstrip("/")
    is_said = parts.scheme == "https" and host.rpartition(":")[2].isdigit()
    port = ":80" if parts.scheme == "http" and not host.rpartition(":")[2].isdigit() else ""
    return ("https:" if is_said else "") + host + port + ("" if path == "/v1" else path)


def provider_at(base_url: str) -> str | None:
    """Name of the provider that answers at this address, None for anybody else's server.

    >>> provider_at("https://api.groq.com/openai/v1"), provider_at("http://127.0.0.1:8000/v1")
    ('groq', None)
    """
    host = host_of(base_url)
    return next((p.name for p in _ALL if p.base_url and host_of(p.base_url) == host), None)
