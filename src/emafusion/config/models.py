"""One model of the pool as the config states it, and what the catalog adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from emafusion.catalog import Catalog, merge
from emafusion.config.keys import Key, Section
from emafusion.config.providers import (
    PROVIDERS,
    DialectName,
    ProviderName,
    host_of,
    place_of,
    provider_at,
)
from emafusion.domain.model import Ability, Candidate, Model, Price

_KNOWN = "what the catalog knows of the model"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentEntry(Section):
    """One of several places that serve a model; what it leaves out is as the model says."""

    base_url: Annotated[str | None, Key("address of the API there", unset="the model's")] = None
    api_key_env: Annotated[
        str | None,
        Key("environment variable with the key for it", env_name=True, unset="the model's"),
    ] = None
    remote_name: Annotated[
        str | None, Key("what the server there calls the model", unset="the model's")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry(Section):
    """A model and where it is served; figures that are left out come from the catalog."""

    name: Annotated[str, Key("name in this pool, by which clients may ask for it", unique=True)]
    provider: Annotated[
        ProviderName,
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
        float | None, Key("US dollars per million prompt tokens", low=0, unset=_KNOWN)
    ] = None
    completion_usd_per_mtok: Annotated[
        float | None, Key("US dollars per million completion tokens", low=0, unset=_KNOWN)
    ] = None
    cached_prompt_usd_per_mtok: Annotated[
        float | None, Key("the same for tokens read from a cache", low=0, unset=_KNOWN)
    ] = None
    cache_write_usd_per_mtok: Annotated[
        float | None, Key("the same for tokens written to a cache", low=0, unset=_KNOWN)
    ] = None
    cpu_usd_per_hour: Annotated[
        float | None,
        Key("US dollars per hour of CPU time, for a model on this machine", low=0, unset=_KNOWN),
    ] = None
    context_tokens: Annotated[
        int | None, Key("tokens that prompt and completion may have together", low=1, unset=_KNOWN)
    ] = None
    max_completion_tokens: Annotated[
        int | None, Key("tokens that a completion may have", low=1, unset=_KNOWN)
    ] = None
    abilities: Annotated[
        tuple[Ability, ...] | None, Key("what it can do beyond text", unset=_KNOWN)
    ] = None
    family: Annotated[
        str | None, Key("models of one family err alike, such as gpt or claude", unset=_KNOWN)
    ] = None
    size_b: Annotated[float | None, Key("billions of parameters", above=0, unset=_KNOWN)] = None
    latency_s: Annotated[
        float | None, Key("typical seconds for a short answer", above=0, unset="measured")
    ] = None
    gguf: Annotated[
        str | None,
        Key("GGUF file, for provider local", unset="the embedded model of that name"),
    ] = None
    deployments: Annotated[
        tuple[DeploymentEntry, ...],
        Key("places that serve it, where there are several: each call goes to the least loaded"),
    ] = ()
    fallbacks: Annotated[
        tuple[str, ...],
        Key("models that are asked, in this order, where a client named this one and it fails"),
    ] = ()

    @property
    def dialect(self) -> DialectName:
        """What the server speaks."""
        return PROVIDERS[self.provider].dialect

    @property
    def address(self) -> str | None:
        """Base address to call, None where there is none (local, litellm)."""
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
    def deployment(self) -> str:
        """Name of the place that serves it: equal for entries that share address and key."""
        if self.deployments:
            return f"{self.name}*{len(self.deployments)}"
        at = "" if self.base_url is None else f"@{place_of(self.base_url)}"
        file = "" if self.gguf is None else f":{self.gguf}"
        key = "" if self.api_key_env is None else f"#{self.api_key_env}"
        return f"{self.provider}{at}{file}{key}"


def places_of(entry: ModelEntry) -> tuple[ModelEntry, ...]:
    """The entry at each of its deployments; itself alone where there is one."""
    if not entry.deployments:
        return (entry,)
    return tuple(
        replace(
            entry,
            base_url=place.base_url or entry.base_url,
            api_key_env=place.api_key_env or entry.api_key_env,
            remote_name=place.remote_name or entry.remote_name,
            deployments=(),
        )
        for place in entry.deployments
    )


def model_of(entry: ModelEntry, catalog: Catalog) -> Model:
    """The model with what the entry states laid over what the catalog knows.

    A price of the catalog is taken only where that very provider is called: another server that
    serves the same weights has its own price, unknown until it is stated.
    """
    known = catalog.find(entry.remote_name or entry.name, _billed_by(entry))
    stated = _stated(entry, known)
    whole = stated if known is None else merge(known, stated)
    return whole if entry.abilities is None else replace(whole, abilities=stated.abilities)


def candidate_of(entry: ModelEntry, catalog: Catalog) -> Candidate:
    """What a policy chooses: the model at its deployment."""
    return Candidate(
        name=entry.name,
        model=model_of(entry, catalog),
        deployment=entry.deployment,
        remote_name=entry.remote_name or entry.name,
        latency_s=entry.latency_s,
    )


def _stated(entry: ModelEntry, known: Model | None) -> Model:
    """The model as the entry alone describes it, by the name that its weights go by."""
    return Model(
        name=known.name if known else entry.remote_name or entry.name,
        provider=entry.provider,
        family=entry.family,
        price=_price(entry),
        context_tokens=entry.context_tokens,
        max_completion_tokens=entry.max_completion_tokens,
        abilities=frozenset(entry.abilities or ()),
        size_b=entry.size_b,
    )


def _billed_by(entry: ModelEntry) -> str | None:
    """Provider whose price list holds; None where the name itself tells (litellm)."""
    if entry.provider == "litellm":
        return None
    if entry.base_url is None:
        return entry.provider
    return provider_at(entry.base_url) or f"server at {host_of(entry.base_url)}"


def _price(entry: ModelEntry) -> Price | None:
    """Price as stated, None where nothing is."""
    figures = (
        entry.prompt_usd_per_mtok,
        entry.completion_usd_per_mtok,
        entry.cached_prompt_usd_per_mtok,
        entry.cache_write_usd_per_mtok,
        entry.cpu_usd_per_hour,
    )
    if all(figure is None for figure in figures):
        return None
    return Price(
        prompt_usd_per_mtok=entry.prompt_usd_per_mtok,
        completion_usd_per_mtok=entry.completion_usd_per_mtok,
        cached_prompt_usd_per_mtok=entry.cached_prompt_usd_per_mtok,
        cache_write_usd_per_mtok=entry.cache_write_usd_per_mtok,
        cpu_usd_per_hour=entry.cpu_usd_per_hour,
    )
