"""What a call cost: additive, monotone, never negative, and unknown rather than wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emafusion.catalog import Catalog, Tier, TieredPrice, cost_usd, expected_cost_usd, price_at
from emafusion.domain.attempt import Usage
from emafusion.domain.model import Price

COUNTS = st.integers(0, 2_000_000)
FIGURES = st.none() | st.floats(0, 1000, allow_nan=False)
LISTED = [entry.model for entry in Catalog.load().entries if entry.model.price]


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Any usage that obeys the rules of the noun: parts are inside their whole."""
    cached, written, plain = draw(COUNTS), draw(COUNTS), draw(COUNTS)
    completion = draw(COUNTS)
    hour = draw(st.integers(0, written))
    return Usage(
        prompt_tokens=cached + written + plain,
        completion_tokens=completion,
        cached_prompt_tokens=cached,
        cache_write_tokens=written,
        hour_write_tokens=hour,
        reasoning_tokens=draw(st.integers(0, completion)),
        cpu_s=draw(st.none() | st.floats(0, 1e5)),
    )


prices = st.builds(
    Price,
    prompt_usd_per_mtok=FIGURES,
    completion_usd_per_mtok=FIGURES,
    cached_prompt_usd_per_mtok=FIGURES,
    cache_write_usd_per_mtok=FIGURES,
    cpu_usd_per_hour=FIGURES,
)


def plus(a: Usage, b: Usage) -> Usage:
    """Usage of two calls together."""
    cpu = None if a.cpu_s is None and b.cpu_s is None else (a.cpu_s or 0.0) + (b.cpu_s or 0.0)
    return Usage(
        prompt_tokens=a.prompt_tokens + b.prompt_tokens,
        completion_tokens=a.completion_tokens + b.completion_tokens,
        cached_prompt_tokens=a.cached_prompt_tokens + b.cached_prompt_tokens,
        cache_write_tokens=a.cache_write_tokens + b.cache_write_tokens,
        hour_write_tokens=a.hour_write_tokens + b.hour_write_tokens,
        reasoning_tokens=a.reasoning_tokens + b.reasoning_tokens,
        cpu_s=cpu,
    )


@given(usages(), usages(), prices)
def test_costs_add_up(a: Usage, b: Usage, price: Price) -> None:
    """Two calls cost what they cost together, as long as both costs are known."""
    one, other = cost_usd(a, price), cost_usd(b, price)
    if one is not None and other is not None:
        assert cost_usd(plus(a, b), price) == pytest.approx(one + other, rel=1e-9, abs=1e-12)


@given(usages(), usages(), prices)
def test_more_usage_never_costs_less(a: Usage, b: Usage, price: Price) -> None:
    """Adding usage never lowers a known cost, and no cost is negative."""
    one, both = cost_usd(a, price), cost_usd(plus(a, b), price)
    if one is not None and both is not None:
        assert both >= one - 1e-12
        assert one >= 0


@given(usages(), usages(), st.sampled_from(LISTED))
def test_more_usage_never_costs_less_at_listed_prices(a: Usage, b: Usage, model: object) -> None:
    """Tiers of the shipped list only ever rise with the length of the prompt."""
    price = getattr(model, "price", None)
    one, both = cost_usd(a, price), cost_usd(plus(a, b), price)
    if one is not None and both is not None:
        assert both >= one - 1e-12


@pytest.mark.parametrize("model", LISTED, ids=lambda m: f"{m.provider}:{m.name}")
def test_cached_tokens_are_never_dearer_than_plain_ones(model: object) -> None:
    """A prompt read from the cache never costs more than the same prompt read anew."""
    price = getattr(model, "price", None)
    for tokens in (1_000, 150_000, 300_000, 600_000):
        plain = cost_usd(Usage(prompt_tokens=tokens, cpu_s=0.0), price)
        cached = cost_usd(
            Usage(prompt_tokens=tokens, cached_prompt_tokens=tokens, cpu_s=0.0), price
        )
        assert plain is not None
        assert cached is not None
        assert cached <= plain


@given(usages())
def test_no_price_no_cost(usage: Usage) -> None:
    """Without a price the cost is unknown, never 0, whatever was used."""
    assert cost_usd(usage, None) is None


@given(usages(), prices)
def test_unknown_is_never_zero(usage: Usage, price: Price) -> None:
    """A cost of 0 needs a reason: nothing used, or every price used stated as 0."""
    if cost_usd(usage, price) == 0.0 and price.cpu_usd_per_hour is None:
        if usage.completion_tokens:
            assert price.completion_usd_per_mtok is not None
        if usage.prompt_tokens - usage.cached_prompt_tokens - usage.cache_write_tokens > 0:
            assert price.prompt_usd_per_mtok is not None


@given(usages(), prices)
def test_reasoning_is_billed_once(usage: Usage, price: Price) -> None:
    """Reasoning tokens are a part of the completion, so naming them changes nothing."""
    assert cost_usd(usage, price) == cost_usd(replace(usage, reasoning_tokens=0), price)


PRICE = Price(
    prompt_usd_per_mtok=2.0,
    completion_usd_per_mtok=8.0,
    cached_prompt_usd_per_mtok=0.5,
    cache_write_usd_per_mtok=2.5,
)

SHAPES = {
    # OpenAI: prompt_tokens 1000, prompt_tokens_details.cached_tokens 600, reasoning in completion
    "openai": (
        Usage(
            prompt_tokens=1000, cached_prompt_tokens=600, completion_tokens=100, reasoning_tokens=64
        ),
        400 * 2.0 + 600 * 0.5 + 100 * 8.0,
    ),
    # Anthropic: input 100, cache_read 600, cache_creation 300: the three do not overlap
    "anthropic": (
        Usage(
            prompt_tokens=100 + 600 + 300,
            cached_prompt_tokens=600,
            cache_write_tokens=300,
            completion_tokens=100,
        ),
        100 * 2.0 + 600 * 0.5 + 300 * 2.5 + 100 * 8.0,
    ),
    # Anthropic again, 200 of the 300 to be kept for an hour: those cost twice the prompt price
    "anthropic-hour": (
        Usage(
            prompt_tokens=100 + 600 + 300,
            cached_prompt_tokens=600,
            cache_write_tokens=300,
            hour_write_tokens=200,
            completion_tokens=100,
        ),
        100 * 2.0 + 600 * 0.5 + 100 * 2.5 + 200 * 4.0 + 100 * 8.0,
    ),
    # Gemini: promptTokenCount 1000 holds cachedContentTokenCount 600; thoughts added to candidates
    "gemini": (
        Usage(
            prompt_tokens=1000,
            cached_prompt_tokens=600,
            completion_tokens=40 + 60,
            reasoning_tokens=60,
        ),
        400 * 2.0 + 600 * 0.5 + 100 * 8.0,
    ),
    # DeepSeek: prompt_cache_hit_tokens 600 + prompt_cache_miss_tokens 400
    "deepseek": (
        Usage(prompt_tokens=600 + 400, cached_prompt_tokens=600, completion_tokens=100),
        400 * 2.0 + 600 * 0.5 + 100 * 8.0,
    ),
    # OpenRouter: OpenAI's shape with cache writes beside the reads
    "openrouter": (
        Usage(
            prompt_tokens=1000,
            cached_prompt_tokens=600,
            cache_write_tokens=300,
            completion_tokens=100,
        ),
        100 * 2.0 + 600 * 0.5 + 300 * 2.5 + 100 * 8.0,
    ),
    # Bedrock: inputTokens 100 beside cacheReadInputTokens 600 and cacheWriteInputTokens 300
    "bedrock": (
        Usage(
            prompt_tokens=100 + 600 + 300,
            cached_prompt_tokens=600,
            cache_write_tokens=300,
            completion_tokens=100,
        ),
        100 * 2.0 + 600 * 0.5 + 300 * 2.5 + 100 * 8.0,
    ),
    "all-cached": (Usage(prompt_tokens=1000, cached_prompt_tokens=1000), 1000 * 0.5),
    "all-written": (Usage(prompt_tokens=1000, cache_write_tokens=1000), 1000 * 2.5),
    "nothing": (Usage(), 0.0),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_cached_usage(shape: str) -> None:
    """Each provider's way to report a cache comes to the same money, counted once."""
    usage, micro_usd = SHAPES[shape]
    assert cost_usd(usage, PRICE) == pytest.approx(micro_usd / 1e6)


def test_cached_tokens_without_their_own_price_cost_the_full_price() -> None:
    """Where a cache price is not known, the prompt price is what is charged at most."""
    price = Price(prompt_usd_per_mtok=2.0, completion_usd_per_mtok=8.0)
    usage = Usage(prompt_tokens=1000, cached_prompt_tokens=600, cache_write_tokens=100)
    assert cost_usd(usage, price) == pytest.approx(1000 * 2.0 / 1e6)


def test_only_prices_that_are_needed_must_be_known() -> None:
    """A missing completion price only matters once something was completed."""
    price = Price(prompt_usd_per_mtok=2.0)
    assert cost_usd(Usage(prompt_tokens=1000), price) == pytest.approx(0.002)
    assert cost_usd(Usage(prompt_tokens=1000, completion_tokens=1), price) is None


def test_more_cached_than_prompt_is_not_negative() -> None:
    """A provider that reports more cached than prompt tokens cannot make a call pay us."""
    usage = Usage(prompt_tokens=100, cached_prompt_tokens=600)
    assert cost_usd(usage, PRICE) == pytest.approx(600 * 0.5 / 1e6)


def test_a_local_model_is_priced_by_cpu_time() -> None:
    """Its tokens cost nothing by themselves; time that was not measured is unknown."""
    price = Price(cpu_usd_per_hour=0.04)
    assert cost_usd(
        Usage(prompt_tokens=9, completion_tokens=9, cpu_s=90.0), price
    ) == pytest.approx(0.001)
    assert cost_usd(Usage(prompt_tokens=9, completion_tokens=9), price) is None
    assert cost_usd(Usage(cpu_s=90.0), Price()) is None


def test_a_long_prompt_bills_the_whole_call_at_its_tier() -> None:
    """One token past the line reprices every token; exactly on it does not."""
    long = Price(prompt_usd_per_mtok=4.0, completion_usd_per_mtok=12.0)
    price = TieredPrice(
        prompt_usd_per_mtok=2.0,
        completion_usd_per_mtok=8.0,
        tiers=(Tier(above_tokens=200_000, price=long),),
    )
    on, past = Usage(prompt_tokens=200_000), Usage(prompt_tokens=200_001, completion_tokens=10)
    assert cost_usd(on, price) == pytest.approx(0.4)
    assert cost_usd(past, price) == pytest.approx((200_001 * 4.0 + 10 * 12.0) / 1e6)
    assert price_at(price, 1) is price


@given(COUNTS, COUNTS, prices)
def test_expectation_agrees_with_the_bill(prompt: int, completion: int, price: Price) -> None:
    """What is forecast for known counts is what is charged for them."""
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion, cpu_s=3.0)
    forecast = expected_cost_usd(prompt, completion, price, cpu_s=3.0)
    assert forecast == pytest.approx(cost_usd(usage, price))


@given(COUNTS, st.floats(0, 1))
def test_a_warmer_cache_never_costs_more(prompt: int, share: float) -> None:
    """The more of the prompt is cached, the cheaper the forecast."""
    cold, warm = (expected_cost_usd(prompt, 10, PRICE, cached_share=part) for part in (0.0, share))
    assert cold is not None
    assert warm is not None
    assert warm <= cold + 1e-12
