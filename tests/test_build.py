"""How a pool's parts are put together."""

from __future__ import annotations

import pytest

from emafusion.build.opening import candidates_of, parts_of
from emafusion.config import Config, ConfigError, parse


def config(*models: str, more: str = "") -> Config:
    """A config with these models: name, family, price."""
    rows = []
    for model in models:
        name, family, price = model.split()
        rows.append(
            f"  - {{name: {name}, provider: openai, base_url: 'http://127.0.0.1:9/v1', "
            f"family: {family}, prompt_usd_per_mtok: {price}, completion_usd_per_mtok: {price}}}"
        )
    text = "models:\n" + "\n".join(rows) + "\n" + more
    return parse(text, source="test.yaml", env={})


def judges(made: Config) -> list[str]:
    """Names of the judges of a config, in the order they are asked."""
    return list(parts_of(made, candidates_of(made)).judges)


def test_paid_judge_comes_last_and_reads_strangers() -> None:
    """After the free ones the cheapest, and one of another family that reads its answers."""
    found = judges(config("a-1 a 1", "a-2 a 2", "b-1 b 1", "c-1 c 3"))
    assert found[:3] == ["rules", "logprob", "agreement"]
    paid = [name.removeprefix("llm:") for name in found[3:]]
    assert len({name[0] for name in paid}) == 2


def test_pool_of_one_family_has_no_paid_judge() -> None:
    """Nobody grades its own family unless told to."""
    assert judges(config("a-1 a 1", "a-2 a 5")) == ["rules", "logprob", "agreement"]


def test_named_judge_is_taken() -> None:
    """The config's word decides; for a wrong name the right ones are told."""
    named = config("a-1 a 1", "a-2 a 5", more="judges: {use: [llm], llm_model: a-2}\n")
    assert judges(named) == ["llm:a-2"]
    with pytest.raises(ConfigError, match=r"judges\.llm_model: no model is called a-3"):
        config("a-1 a 1", "a-2 a 5", more="judges: {llm_model: a-3}\n")


def test_several_judges_are_named() -> None:
    """Each by itself, in the order of the config; what cannot be meant is refused."""
    pool = ("a-1 a 1", "b-1 b 1", "c-1 c 2")
    named = config(*pool, more="judges: {use: [llm], llm_models: [c-1, a-1]}\n")
    assert judges(named) == ["llm:c-1", "llm:a-1"]
    pairs = config(*pool, more="judges: {use: [llm, pairs], llm_models: [c-1]}\n")
    assert judges(pairs) == ["llm:c-1", "llm:pair:c-1"]
    for wrong, told in (
        ("llm_models: [c-1, d-1]", r"judges\.llm_models: no model is called d-1"),
        ("llm_models: [c-1, c-1]", r"judges\.llm_models.*is listed twice"),
        ("llm_models: [c-1], llm_model: a-1", "leave one of the two keys out"),
        ("use: [rules], llm_models: [c-1]", "is never asked"),
    ):
        with pytest.raises(ConfigError, match=told):
            config(*pool, more=f"judges: {{{wrong}}}\n")


def test_best_single_is_the_better_one() -> None:
    """Savings are counted against the model that is predicted best on its own."""
    made = config("gpt-4o gpt 2.5", "gpt-4o-mini gpt 0.15")
    assert parts_of(made, candidates_of(made)).best_single == "gpt-4o"
