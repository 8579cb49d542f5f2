"""One embedding model as the config states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from emafusion.config.keys import Key, Section
from emafusion.config.providers import PROVIDERS, DialectName, host_of, provider_at

EmbeddingProvider = Literal["openai", "gemini", "openrouter", "mistral", "together", "fireworks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingEntry(Section):
    """A model that makes embeddings, and where it is served; it answers no questions."""

    name: Annotated[str, Key("name by which clients ask for it", unique=True)]
    provider: Annotated[
        EmbeddingProvider,
        Key("who serves it; openai with base_url = any server that speaks OpenAI's API"),
    ]
    base_url: Annotated[
        str | None, Key("address of the API, its version included", unset="the provider's own")
    ] = None
    api_key_env: Annotated[
        str | None,
        Key(
            "environment variable with the key",
            env_name=True,
            unset="the provider's usual one; none for a base_url of your own",
        ),
    ] = None
    remote_name: Annotated[
        str | None, Key("what the server calls the model", unset="the same as name")
    ] = None
    prompt_usd_per_mtok: Annotated[
        float | None,
        Key(
            "US dollars per million tokens",
            low=0,
            unset="what the catalog knows of the model",
        ),
    ] = None

    @property
    def dialect(self) -> DialectName:
        """What the server speaks."""
        return PROVIDERS[self.provider].dialect

    @property
    def address(self) -> str | None:
        """Base address to call."""
        return self.base_url or PROVIDERS[self.provider].base_url

    @property
    def key_env(self) -> str | None:
        """Environment variable with the key; None where no key is sent.

        A key for the provider is never sent to another address unless `api_key_env` says so.
        """
        if self.api_key_env is not None:
            return self.api_key_env
        known = PROVIDERS[self.provider]
        at_home = self.base_url is None or provider_at(self.base_url) == self.provider
        return known.key_envs[0] if at_home and known.key_envs else None

    @property
    def is_at_home(self) -> bool:
        """Whether the provider's own price list holds."""
        return self.base_url is None or provider_at(self.base_url) == self.provider

    @property
    def deployment(self) -> str:
        """Name of the place that serves it."""
        at = "" if self.base_url is None else f"@{host_of(self.base_url)}"
        return f"{self.provider}{at}"
