"""Pools that are found: each provider's key gives a small pool, servers give what they have."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.catalog import Catalog
from emafusion.config import (
    PROVIDERS,
    Config,
    ModelEntry,
    Provider,
    candidate_of,
    default_yaml,
    embedded_pool,
    model_of,
    parse,
    pool_from_env,
    pool_from_servers,
)
from emafusion.config.discover import CURATED, EMBEDDED, MOST_PER_SERVER

CATALOG = Catalog.load()
KEYED = [known for known in PROVIDERS.values() if known.key_envs]


@dataclass(frozen=True)
class Server:
    """A local server as the search for them reports it."""

    kind: str
    base_url: str
    models: tuple[str, ...]


def test_no_key_no_pool() -> None:
    """Nothing is assumed; a blank key is none."""
    assert pool_from_env({}, CATALOG) == ()
    assert pool_from_env({"OPENAI_API_KEY": "  ", "HOME": "/"}, CATALOG) == ()


@pytest.mark.parametrize("known", KEYED, ids=lambda known: known.name)
def test_each_key_gives_models_with_known_prices(known: Provider) -> None:
    """Every provider's pool is current, priced, called with the key that is there, cheap first."""
    for key_env in known.key_envs:
        pool = pool_from_env({key_env: "made-up"}, CATALOG)
        assert len(pool) == len(CURATED[known.name])
        prices: list[float] = []
        for entry in pool:
            assert entry.provider == known.name
            assert entry.key_env == key_env
            model = model_of(entry, CATALOG)
            assert model.price is not None
            assert model.price.completion_usd_per_mtok is not None
            prices.append(model.price.completion_usd_per_mtok)
        assert prices == sorted(prices)


def test_several_keys_give_one_pool_of_distinct_names() -> None:
    """The same weights at two hosts are two candidates with two names."""
    env = {name: "made-up" for known in KEYED for name in known.key_envs}
    pool = pool_from_env(env, CATALOG)
    assert len({entry.name.casefold() for entry in pool}) == len(pool)
    assert {entry.provider for entry in pool} == {known.name for known in KEYED}
    assert parse(default_yaml(Config(models=pool)), source="c.yaml", env=env).models == pool


def test_a_base_url_points_the_pool_elsewhere() -> None:
    """A proxy gets the calls, with the key, at prices that are unknown until stated."""
    env = {"OPENAI_API_KEY": "made-up", "OPENAI_BASE_URL": "https://proxy.example.org/v1"}
    pool = pool_from_env(env, CATALOG)
    assert {entry.address for entry in pool} == {"https://proxy.example.org/v1"}
    assert {entry.key_env for entry in pool} == {"OPENAI_API_KEY"}
    assert all(model_of(entry, CATALOG).price is None for entry in pool)


def test_a_base_url_of_another_provider_means_its_models() -> None:
    """OpenAI's variables pointed at Groq give Groq's models at Groq's prices."""
    env = {"OPENAI_API_KEY": "made-up", "OPENAI_BASE_URL": "https://api.groq.com/openai/v1"}
    pool = pool_from_env(env, CATALOG)
    assert [entry.remote_name for entry in pool] == list(CURATED["groq"])
    assert all(model_of(entry, CATALOG).price is not None for entry in pool)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/v1", "http://localhost:1/v1", "http://[::1]"]
)
def test_a_base_url_of_this_machine_is_not_followed(url: str) -> None:
    """It may be ourselves; servers on this machine are found by asking them."""
    assert pool_from_env({"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": url}, CATALOG) == ()


def test_local_servers_give_their_models() -> None:
    """Each model with the server's address and no key; what gives vectors is left out."""
    ollama = Server("ollama", "http://127.0.0.1:11434/v1", ("qwen3:8b", "nomic-embed-text"))
    vllm = Server("vllm", "http://127.0.0.1:8000/v1", ("Qwen/Qwen3 8B", "qwen3:8b", "auto"))
    pool = pool_from_servers([ollama, vllm])
    assert [(entry.name, entry.remote_name) for entry in pool] == [
        ("qwen3:8b", None),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3 8B"),
        ("openai/qwen3:8b", "qwen3:8b"),
        ("local-auto", "auto"),
    ]
    for entry in pool:
        assert entry.key_env is None
        assert model_of(entry, CATALOG).price is None


def test_a_server_with_hundreds_of_models_gives_a_few() -> None:
    """A pool stays small enough to choose from."""
    many = Server("vllm", "http://127.0.0.1:8000/v1", tuple(f"m{i}" for i in range(300)))
    assert len(pool_from_servers([many])) == MOST_PER_SERVER


@given(st.lists(st.tuples(st.sampled_from("ab"), st.lists(st.text(min_size=1), max_size=4))))
def test_any_server_gives_a_pool_that_can_be_written(found: list[tuple[str, list[str]]]) -> None:
    """Whatever servers call their models, the config written from them reads back equal."""
    servers = [Server("x", f"http://{host}/v1", tuple(names)) for host, names in found]
    pool = pool_from_servers(servers)
    assert parse(default_yaml(Config(models=pool)), source="c.yaml").models == pool


def test_the_embedded_pool_is_priced_and_on_this_machine() -> None:
    """Four actions of one deployment, the calculator a program, all priced by CPU time."""
    candidates = [candidate_of(entry, CATALOG) for entry in embedded_pool()]
    assert tuple(candidate.name for candidate in candidates) == EMBEDDED
    assert {candidate.deployment for candidate in candidates} == {"local"}
    assert [candidate.model.kind for candidate in candidates][-1] == "program"
    for candidate in candidates:
        assert candidate.model.price is not None
        assert candidate.model.price.cpu_usd_per_hour == 0.04


def test_a_key_is_never_sent_to_a_foreign_address() -> None:
    """Without api_key_env only the provider's own address gets the provider's key."""
    home = ModelEntry(name="a", provider="openai")
    same = ModelEntry(name="a", provider="openai", base_url="https://api.openai.com/v1")
    away = ModelEntry(name="a", provider="openai", base_url="https://example.org/v1")
    told = ModelEntry(
        name="a", provider="openai", base_url="https://example.org/v1", api_key_env="K"
    )
    assert [entry.key_env for entry in (home, same, away, told)] == [
        "OPENAI_API_KEY",
        "OPENAI_API_KEY",
        None,
        "K",
    ]


def test_stated_figures_win_over_the_catalog() -> None:
    """Field by field; an empty list of abilities means none, a missing one the catalog's."""
    entry = ModelEntry(
        name="mine",
        provider="openai",
        remote_name="gpt-6-luna",
        prompt_usd_per_mtok=9.0,
        context_tokens=1000,
        abilities=(),
    )
    known, model = CATALOG.find("gpt-6-luna"), model_of(entry, CATALOG)
    assert known is not None
    assert known.price is not None
    assert model.price is not None
    assert model.name == "gpt-6-luna"
    assert model.price.prompt_usd_per_mtok == 9.0
    assert model.price.completion_usd_per_mtok == known.price.completion_usd_per_mtok
    assert (model.context_tokens, model.abilities) == (1000, frozenset())
    assert model_of(ModelEntry(name="gpt-6-luna", provider="openai"), CATALOG) == known


def test_a_model_that_nobody_knows_has_no_figures() -> None:
    """Nothing is invented for it."""
    model = model_of(ModelEntry(name="brand-new", provider="xai"), CATALOG)
    assert (model.price, model.context_tokens, model.size_b) == (None, None, None)


def test_deployments_are_told_apart_by_address_and_key() -> None:
    """Entries that share both share one upstream; others do not: one host may have many APIs."""
    names = {
        ModelEntry(name="a", provider="groq").deployment,
        ModelEntry(name="b", provider="groq").deployment,
        ModelEntry(name="c", provider="groq", api_key_env="K").deployment,
        ModelEntry(name="d", provider="openai", base_url="http://h:1/v1").deployment,
        ModelEntry(name="e", provider="openai", base_url="http://h:2/v1").deployment,
        ModelEntry(name="e", provider="openai", base_url="http://h:2/team/v1").deployment,
        ModelEntry(name="e", provider="openai", base_url="https://h/v1").deployment,
        ModelEntry(name="e", provider="openai", base_url="https://h:2/v1").deployment,
        ModelEntry(name="e", provider="openai", base_url="http://h/v1").deployment,
        ModelEntry(name="f", provider="local", gguf="a.gguf").deployment,
        ModelEntry(name="g", provider="local", gguf="b.gguf").deployment,
    }
    assert len(names) == 10
