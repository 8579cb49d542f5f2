"""Rules over whole sections: what no single value can break."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from emafusion.config.contradictions import contradictions
from emafusion.config.embeddings_section import EmbeddingEntry
from emafusion.config.models import DeploymentEntry, ModelEntry, places_of
from emafusion.config.tree import Config, JudgesSection

Wrong = tuple[tuple[str, str], ...]
"""Pairs of the path of a key and what is wrong with it."""

RESERVED = ("auto", "emafusion")
"""Names that ask for routing; a model of that name could never be reached."""


def section_rules(section: object) -> Wrong:
    """What is wrong with one section: pairs of a key's name and what."""
    match section:
        case JudgesSection():
            return _judges(section)
        case ModelEntry():
            return (*_name(section), *_address(section), *_local(section), *_several(section))
        case DeploymentEntry():
            wrong = wrong_url(section.base_url) if section.base_url is not None else None
            return (("base_url", wrong),) if wrong else ()
        case EmbeddingEntry():
            return (*_name(section), *_address(section))
        case _:
            return ()


def whole(config: Config) -> Wrong:
    """Rules that tie sections together."""
    names = [entry.name for entry in config.models]
    tied = (*_readers(config, names), *_fallbacks(config, names), *_twice(config, names))
    return (*tied, *contradictions(config))


def _readers(config: Config, names: list[str]) -> Wrong:
    """Models that are to judge and are not in the pool."""
    key = "llm_models" if config.judges.llm_models else "llm_model"
    return tuple(
        (f"judges.{key}", f"no model is called {wanted}, known are {', '.join(names)}")
        for wanted in config.judges.models
        if names and wanted not in names
    )


def _fallbacks(config: Config, names: list[str]) -> Wrong:
    """Fallbacks that are no other model of the pool."""
    return tuple(
        (f"models[{index}].fallbacks", _nobody(name, [n for n in names if n != entry.name]))
        for index, entry in enumerate(config.models)
        for name in entry.fallbacks
        if name not in names or name == entry.name
    )


def _twice(config: Config, names: list[str]) -> Wrong:
    """Embedding models by the name of a model of the pool: which one would a client mean?"""
    return tuple(
        (f"embeddings[{index}].name", f"{entry.name} is a model of the pool already")
        for index, entry in enumerate(config.embeddings)
        if entry.name in names
    )


def _nobody(wanted: str, names: list[str]) -> str:
    known = f"known are {', '.join(names)}" if names else "there is no other"
    return f"no other model is called {wanted}, {known}"


def _several(entry: ModelEntry) -> Wrong:
    """Deployments of a model: really several, and reached over a network."""
    if not entry.deployments:
        return ()
    if entry.provider in {"local", "litellm"}:
        return (("deployments", f"is not for provider {entry.provider}"),)
    if len(entry.deployments) == 1:
        return (("deployments", "is one: put its keys into the model itself, or name a second"),)
    places = [(place.deployment, place.remote_name) for place in places_of(entry)]
    if len(set(places)) < len(places):
        return (("deployments", "names the same place twice: address, key and remote_name"),)
    return ()


def unset_keys(config: Config, env: Mapping[str, str]) -> Wrong:
    """Environment variables that the config counts on and that are missing or empty."""
    served = [
        (f"models[{n}].deployments[{m}]" if entry.deployments else f"models[{n}]", place.key_env)
        for n, entry in enumerate(config.models)
        for m, place in enumerate(places_of(entry))
    ]
    served += [(f"embeddings[{n}]", entry.key_env) for n, entry in enumerate(config.embeddings)]
    wrong = [
        (f"{where}.api_key_env", f"the environment variable {name} is not set")
        for where, name in served
        if name is not None and not env.get(name, "").strip()
    ]
    state = (("postgres_env", config.state.postgres_env), ("valkey_env", config.state.valkey_env))
    wrong += [
        (f"state.{key}", f"the environment variable {name} is not set")
        for key, name in state
        if name is not None and not env.get(name, "").strip()
    ]
    return tuple(wrong)


def _judges(section: JudgesSection) -> Wrong:
    key = "llm_models" if section.llm_models else "llm_model"
    if section.models and not {"llm", "pairs"} & set(section.use):
        return ((key, f"is never asked: add llm to use, or leave {key} out"),)
    if section.llm_models and section.llm_model is not None:
        return (("llm_model", "is one of llm_models: leave one of the two keys out"),)
    return ()


def _name(entry: ModelEntry | EmbeddingEntry) -> Wrong:
    head = entry.name.partition("/")[0].casefold()
    if head in RESERVED:
        return (("name", f"{entry.name} asks for routing and cannot name a model"),)
    if any(sign in entry.name for sign in ", "):
        return (("name", "must not contain blanks or commas; remote_name may"),)
    return ()


def _address(entry: ModelEntry | EmbeddingEntry) -> Wrong:
    if entry.base_url is None:
        return ()
    if entry.provider == "local":
        return (("base_url", "is not for provider local: a server is provider openai"),)
    wrong = wrong_url(entry.base_url)
    return (("base_url", wrong),) if wrong else ()


def wrong_url(url: str) -> str | None:
    """What is wrong with a base address, None if nothing."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address such as http://127.0.0.1:8000/v1"
    if "@" in parts.netloc:
        return "must not hold a password: use api_key_env"
    if parts.scheme not in {"http", "https"} or not host:
        return "must start with http:// or https:// and name a host"
    return "must not have a ? or # part" if parts.query or parts.fragment else None


def _local(entry: ModelEntry) -> Wrong:
    if entry.gguf is not None and entry.provider != "local":
        return (("gguf", "is only for provider local"),)
    if entry.api_key_env is not None and entry.provider == "local":
        return (("api_key_env", "is not for provider local: no key is sent"),)
    return ()
