"""Deployments -> upstreams: which dialect each speaks, and local models started.

To add a provider's dialect: its file in `wire/`, a row here, a line in the docs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from emafusion.build.checking import checker_upstreams
from emafusion.build.local_models import LocalModel, LocalModels, OwnModels
from emafusion.build.reliability import open_health, place_names, timeouts
from emafusion.config import Config, ModelEntry, places_of
from emafusion.domain.errors import Unready
from emafusion.domain.ports import Upstream
from emafusion.gateway.readiness import Place
from emafusion.upstream.fleet import Fleet
from emafusion.upstream.fleet import Place as FleetPlace
from emafusion.upstream.health import Health
from emafusion.upstream.local.child import LocalSpec
from emafusion.upstream.local.weights import find_embedded, models_dir
from emafusion.upstream.pool import Pool
from emafusion.upstream.proxy import proxies_from_environment
from emafusion.upstream.remote import Account, RemoteUpstream, Way
from emafusion.upstream.tls import Trust
from emafusion.wire.anthropic import AnthropicDialect
from emafusion.wire.dialect import Dialect
from emafusion.wire.gemini import GeminiDialect
from emafusion.wire.openai import OpenAIDialect

DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "openai": OpenAIDialect,
    "anthropic": AnthropicDialect,
    "gemini": GeminiDialect,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deployments:
    """Upstreams by the name of their deployment, and the local servers behind some of them.

    `health`: what is known of each, kept up by whoever calls them.
    """

    upstreams: Mapping[str, Upstream]
    servers: Mapping[str, LocalModel]
    health: Health
    models: LocalModels
    specs: tuple[LocalSpec, ...] = ()

    def places(self) -> Mapping[str, Place]:
        """How the models on this machine stand."""
        return {
            name: Place(state=server.state, reason=server.reason)
            for name, server in self.servers.items()
        }

    async def close(self) -> None:
        """Close every connection and end every local model."""
        for upstream in self.upstreams.values():
            await upstream.close()
        for spec in self.specs:
            await self.models.give_back(spec)


def open_deployments(
    config: Config, env: Mapping[str, str], *, models: LocalModels | None = None
) -> Deployments:
    """Make an upstream for each deployment of the pool; local models begin to load.

    Needs a running event loop. Raises `Unready` where weights or an extra are missing, with what
    to do; a key that is not in the environment is the same. `models`: who runs those on this
    machine; None: this process.
    """
    models = OwnModels() if models is None else models
    entries = [place for entry in config.models for place in places_of(entry)]
    places = {entry.deployment: entry for entry in reversed(entries)}
    health = open_health(config)
    remote = _remote_upstreams(places, env, Way(timeouts=timeouts(config), heard=health.heard))
    checkers = checker_upstreams(config.fusion)
    # Only now that nothing can be missing any more is a process started.
    specs = _local_specs(places, config, env)
    servers = {name: models.take(spec) for name, spec in specs.items()}
    local = {name: _on_this_machine(server) for name, server in servers.items()}
    single = {**remote, **local}
    fleets = {
        entry.deployment: _fleet(entry, single, health)
        for entry in config.models
        if entry.deployments
    }
    upstreams = {**single, **fleets, **checkers}
    return Deployments(
        upstreams=upstreams,
        servers=servers,
        health=health,
        models=models,
        specs=tuple(specs.values()),
    )


def local_specs(config: Config, env: Mapping[str, str]) -> tuple[LocalSpec, ...]:
    """What a config runs on this machine. Raises `Unready` where weights or engine are missing."""
    entries = [place for entry in config.models for place in places_of(entry)]
    places = {entry.deployment: entry for entry in reversed(entries)}
    return tuple(_local_specs(places, config, env).values())


def _local_specs(
    places: Mapping[str, ModelEntry], config: Config, env: Mapping[str, str]
) -> dict[str, LocalSpec]:
    return {
        name: _local(entry, config, env)
        for name, entry in places.items()
        if entry.dialect == "local"
    }


def _fleet(entry: ModelEntry, single: Mapping[str, Upstream], health: Health) -> Fleet:
    """One model at several deployments."""
    entries = places_of(entry)
    names = place_names(entry.name, len(entries))
    places = [
        FleetPlace(
            name=name,
            deployment=each.deployment,
            remote_name=each.remote_name or each.name,
            upstream=single[each.deployment],
        )
        for name, each in zip(names, entries, strict=True)
    ]
    return Fleet(places, health)


def _remote_upstreams(
    places: Mapping[str, ModelEntry], env: Mapping[str, str], way: Way
) -> dict[str, Upstream]:
    trust = Trust()  # the certificates are loaded once for all
    upstreams: dict[str, Upstream] = {}
    for name, entry in places.items():
        if entry.dialect == "litellm":
            upstreams[name] = _through_litellm()
        elif entry.dialect != "local":
            account = Account(base_url=entry.address or "", api_key=_key(entry, env))
            pool = Pool(proxies=proxies_from_environment(env), trust=trust)
            upstreams[name] = RemoteUpstream(DIALECTS[entry.dialect](), account, pool=pool, way=way)
    return upstreams


def _through_litellm() -> Upstream:
    from emafusion.upstream.litellm import LiteLLMUpstream  # an extra, heavy to import

    return LiteLLMUpstream()


def _key(entry: ModelEntry, env: Mapping[str, str]) -> str:
    if entry.key_env is None:
        return ""
    key = env.get(entry.key_env, "").strip()
    if not key:
        what = f"models.{entry.name}: the environment variable {entry.key_env} is not set"
        raise Unready(f"{what}; set it, or name another by api_key_env")
    return key


def _local(entry: ModelEntry, config: Config, env: Mapping[str, str]) -> LocalSpec:
    return LocalSpec(
        model=local_file(entry, config, env),
        name=None if entry.gguf is None else (entry.remote_name or entry.name),
        cache_dir=_weights_dir(config, env),
        threads=config.local.threads,
    )


def local_file(entry: ModelEntry, config: Config, env: Mapping[str, str]) -> Path:
    """The weights of a model on this machine. Reads nothing but their presence.

    Raises `Unready` where they, or the engine that runs them, are missing, with what to do.
    """
    if find_spec("openvino_genai") is None:
        how = "pip install 'emafusion[local]'"
        raise Unready(f"models on this machine need an engine that is not installed; {how}")
    if entry.gguf is None:
        return find_embedded(_weights_dir(config, env))
    if not Path(entry.gguf).is_file():
        raise Unready(f"models.{entry.name}: there is no file {entry.gguf}; correct gguf")
    return Path(entry.gguf)


def _weights_dir(config: Config, env: Mapping[str, str]) -> Path:
    folder = config.local.weights_dir
    return Path(folder) if folder is not None else models_dir(env)


def _on_this_machine(server: LocalModel) -> RemoteUpstream:
    """A local model is called like any other server; it never goes through a proxy."""
    account = Account(base_url=server.base_url, api_key=server.api_key)
    return RemoteUpstream(OpenAIDialect(), account, pool=Pool())
