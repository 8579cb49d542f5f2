"""Finding models by any of their names, and the shipped figures themselves."""

from __future__ import annotations

from datetime import date

import pytest

from emafusion.catalog import Catalog, Entry, TieredPrice
from emafusion.domain.model import Model, Price

CATALOG = Catalog.load()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-5-mini", "gpt-5-mini"),
        ("GPT-5-Mini", "gpt-5-mini"),
        ("openai/gpt-5-mini", "gpt-5-mini"),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("openai/gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("anthropic/claude-haiku-4.5", "claude-haiku-4-5"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
    ],
)
def test_a_model_has_many_names(name: str, found: str) -> None:
    """Case, provider, date and dots are ways to write one and the same model, with its price."""
    model = CATALOG.find(name)
    assert model is not None
    assert model.name == found
    assert model.price is not None


def test_every_entry_is_found_by_each_of_its_names() -> None:
    """Name and aliases lead back to the entry, given its provider."""
    for entry in CATALOG.entries:
        for name in (entry.model.name, *entry.aliases):
            assert CATALOG.find(name, entry.model.provider) == entry.model


def test_one_host_says_nothing_of_anothers_price() -> None:
    """The same weights at a host that is not listed, or at no host in particular, have no price."""
    at_groq = CATALOG.find("openai/gpt-oss-120b", "groq")
    assert at_groq is not None
    assert at_groq.price is not None
    elsewhere = CATALOG.find("openai/gpt-oss-120b", "somewhere")
    assert elsewhere is not None
    assert elsewhere.price is None
    assert elsewhere.size_b == at_groq.size_b
    unsaid = CATALOG.find("gpt-oss-120b:free")
    assert unsaid is not None
    assert unsaid.price is None


@pytest.mark.parametrize("name", ["azure/gpt-5-mini", "openrouter/anthropic/claude-haiku-4.5:x"])
def test_another_host_in_front_of_a_name_hides_the_price(name: str) -> None:
    """A name that speaks of another host tells what the model can do, not what it costs there."""
    model = CATALOG.find(name)
    if model is not None:
        assert model.price is None
    assert CATALOG.find("azure/gpt-5-mini") is not None


@pytest.mark.parametrize("name", ["google/gemini-2.5-pro", "x-ai/grok-4.7", "z-ai/glm-5.3"])
def test_a_vendor_in_front_of_a_name_is_the_provider(name: str) -> None:
    """Vendors are written in several ways; without a host their own price is meant."""
    model = CATALOG.find(name)
    assert model is not None
    assert model.price is not None
    assert model.provider != "openrouter" or "/" in model.name


def test_a_cloud_id_knows_the_model_but_not_the_clouds_price() -> None:
    """Bedrock's id of a Claude tells its abilities; its regional price is not the list price."""
    model = CATALOG.find("us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert model is not None
    assert model.family == "claude"
    assert model.price is None


@pytest.mark.parametrize("name", ["", "/", "no-such-model", "gpt", ":free", "a" * 10_000])
def test_what_is_not_known_is_not_found(name: str) -> None:
    """No name is stretched until something fits."""
    assert CATALOG.find(name) is None


def test_the_nearest_name_helps_with_a_typo() -> None:
    """A slip of the finger is put right; nonsense is not."""
    assert CATALOG.nearest("gtp-5-mini") == "gpt-5-mini"
    assert CATALOG.nearest("Claude-Haiku-45") == "claude-haiku-4-5"
    assert CATALOG.nearest("xyzzy") is None


def test_a_local_figure_wins_field_by_field() -> None:
    """An override replaces what it states and leaves the rest."""
    mine = Model(name="gpt-5-mini", provider="openai", price=Price(prompt_usd_per_mtok=0.2))
    catalog = CATALOG.with_overrides(mine)
    before, after = CATALOG.find("gpt-5-mini"), catalog.find("gpt-5-mini")
    assert before is not None
    assert after is not None
    assert before.price is not None
    assert after.price is not None
    assert after.price.prompt_usd_per_mtok == 0.2
    assert after.price.completion_usd_per_mtok == before.price.completion_usd_per_mtok
    assert after.context_tokens == before.context_tokens
    assert after.abilities == before.abilities


def test_an_override_of_an_unknown_model_adds_it_and_invents_nothing() -> None:
    """A new model has exactly the figures that were stated."""
    catalog = CATALOG.with_overrides(Model(name="mine", provider="here", size_b=7.0))
    assert catalog.find("mine") == Model(name="mine", provider="here", size_b=7.0)


def test_a_flat_price_over_a_tiered_one_leaves_no_old_tier() -> None:
    """A stated price must not jump back to the listed one for long prompts."""
    mine = Model(name="gpt-5.5", provider="openai", price=Price(prompt_usd_per_mtok=1.0))
    model = CATALOG.with_overrides(mine).find("gpt-5.5")
    assert model is not None
    assert isinstance(model.price, TieredPrice)
    assert model.price.tiers == ()


def test_names_are_unique_at_each_provider() -> None:
    """No two entries answer to the same name at the same provider."""
    seen: set[tuple[str, str]] = set()
    for entry in CATALOG.entries:
        names = {name.casefold() for name in (entry.model.name, *entry.aliases)}
        for name in names:
            assert (entry.model.provider, name) not in seen
            seen.add((entry.model.provider, name))


def test_the_catalog_is_wide_enough_to_be_of_use() -> None:
    """Every large provider is there, most models with a price."""
    assert {
        "openai",
        "anthropic",
        "gemini",
        "deepseek",
        "mistral",
        "xai",
        "groq",
        "local",
    } <= CATALOG.providers
    priced = [entry for entry in CATALOG.entries if entry.model.price]
    assert len(priced) >= 80


@pytest.mark.parametrize(
    "entry", CATALOG.entries, ids=lambda e: f"{e.model.provider}:{e.model.name}"
)
def test_each_figure_is_plausible_and_dated(entry: Entry) -> None:
    """Prices rise with length, cached is cheapest, every price has a date and a source."""
    price, card = entry.model.price, CATALOG.card
    assert card is not None
    if price is None:
        assert entry.source is None
        return
    assert entry.source is not None
    assert price.dated is not None
    assert card.oldest <= date.fromisoformat(price.dated) <= card.made
    assert isinstance(price, TieredPrice)
    marks = [tier.above_tokens for tier in price.tiers]
    assert marks == sorted(set(marks))
    for tier in price.tiers:
        assert (tier.price.prompt_usd_per_mtok or 0) >= (price.prompt_usd_per_mtok or 0)


def test_embedded_models_are_priced_by_the_hour() -> None:
    """Models on this machine cost CPU time at the stated price, and the calculator is a program."""
    for name in ("smollm2-135m", "smollm2-135m-fewshot", "smollm2-135m-vote", "calculator"):
        model = CATALOG.find(name, "local")
        assert model is not None
        assert model.price is not None
        assert model.price.cpu_usd_per_hour == 0.04
        assert model.context_tokens == 8192
    calculator = CATALOG.find("calculator")
    assert calculator is not None
    assert calculator.kind == "program"


def test_an_announced_price_holds_from_its_day_on() -> None:
    """The day before it is the old price, that day and after the new one; others stay."""
    catalog = Catalog.load()
    before, after = catalog.on(date(2026, 11, 30)), catalog.on(date(2026, 12, 1))
    prices = [
        model.price.completion_usd_per_mtok
        for model in (before.find("gemini-4-argon"), after.find("gemini-4-argon"))
        if model is not None and model.price is not None
    ]
    assert prices == [10.0, 20.0]
    assert before.find("gpt-5-mini") == after.find("gpt-5-mini")


def test_announced_prices_are_in_order_and_later_than_the_data() -> None:
    """A change that is already due would be a wrong price today."""
    for entry in CATALOG.entries:
        days = [date.fromisoformat(since) for since, _ in entry.changes]
        assert days == sorted(set(days))
        assert CATALOG.card is not None
        assert all(day > CATALOG.card.made for day in days)
