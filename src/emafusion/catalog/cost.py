"""Usage x price -> cost_usd; unknown as soon as one price that is needed is unknown."""

from __future__ import annotations

from emafusion.catalog.pricing import price_at
from emafusion.domain.attempt import Usage
from emafusion.domain.model import Price

_TOKENS_PER_MTOK = 1e6
_SECONDS_PER_HOUR = 3600.0

HOUR_WRITE_FACTOR = 2.0
"""A token written to the cache for an hour costs so many prompt tokens (Anthropic, the only
provider that tells them apart)."""

Amount = tuple[float, float | None]
"""Tokens of one kind, and their price in US dollars per million, None if unknown."""


def cost_usd(usage: Usage, price: Price | None) -> float | None:
    """Cost of one call in US dollars, >= 0; None where a price or figure it needs is unknown.

    Cached tokens and cache writes are parts of the prompt, reasoning tokens are part of the
    completion: nothing is counted twice. A cached or written token without a price of its own
    costs what a prompt token costs. A model priced by CPU time needs no token prices.

    >>> price = Price(prompt_usd_per_mtok=2.0, cached_prompt_usd_per_mtok=0.5)
    >>> cost_usd(Usage(prompt_tokens=1_000_000, cached_prompt_tokens=500_000), price)
    1.25
    >>> cost_usd(Usage(prompt_tokens=1), Price()) is None
    True
    """
    if price is None:
        return None
    reached = price_at(price, usage.prompt_tokens)
    return _total(_amounts(usage, reached), price=reached, cpu_s=usage.cpu_s)


def expected_cost_usd(
    prompt_tokens: float,
    completion_tokens: float,
    price: Price | None,
    *,
    cached_share: float = 0.0,
    cpu_s: float | None = None,
) -> float | None:
    """Cost to expect of a call before it is made; None where a needed price is unknown.

    `cached_share`: 0..1, part of the prompt expected in the provider's cache; `cpu_s`: CPU seconds
    expected of a model on this machine.

    >>> price = Price(prompt_usd_per_mtok=2.0, completion_usd_per_mtok=8.0)
    >>> expected_cost_usd(500, 250.0, price)
    0.003
    """
    if price is None:
        return None
    reached = price_at(price, prompt_tokens)
    cached = prompt_tokens * cached_share
    amounts = (
        (prompt_tokens - cached, reached.prompt_usd_per_mtok),
        (cached, _cached(reached)),
        (completion_tokens, reached.completion_usd_per_mtok),
    )
    return _total(amounts, price=reached, cpu_s=cpu_s)


def _amounts(usage: Usage, price: Price) -> tuple[Amount, ...]:
    """Split a usage into kinds of tokens that do not overlap, each with its price."""
    cached, written = usage.cached_prompt_tokens, usage.cache_write_tokens
    plain = max(0, usage.prompt_tokens - cached - written)
    hour = min(usage.hour_write_tokens, written)
    return (
        (plain, price.prompt_usd_per_mtok),
        (cached, _cached(price)),
        (written - hour, _first(price.cache_write_usd_per_mtok, price.prompt_usd_per_mtok)),
        (hour, _hour_write(price)),
        (usage.completion_tokens, price.completion_usd_per_mtok),
    )


def _total(amounts: tuple[Amount, ...], *, price: Price, cpu_s: float | None) -> float | None:
    """Sum token and CPU costs; None if one is unknown."""
    by_cpu = price.cpu_usd_per_hour is not None
    costs = [_tokens_usd(amount, by_cpu=by_cpu) for amount in amounts]
    costs.append(_cpu_usd(cpu_s, price))
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _tokens_usd(amount: Amount, *, by_cpu: bool) -> float | None:
    """Cost of tokens of one kind; a price that no token needs may stay unknown."""
    tokens, usd_per_mtok = amount
    if tokens <= 0:
        return 0.0
    if usd_per_mtok is None:
        return 0.0 if by_cpu else None
    return tokens * usd_per_mtok / _TOKENS_PER_MTOK


def _cpu_usd(cpu_s: float | None, price: Price) -> float | None:
    """Cost of CPU time; 0 where the model is priced by tokens only."""
    if price.cpu_usd_per_hour is None:
        by_token = _first(price.prompt_usd_per_mtok, price.completion_usd_per_mtok)
        return None if cpu_s and by_token is None else 0.0
    return None if cpu_s is None else max(0.0, cpu_s) * price.cpu_usd_per_hour / _SECONDS_PER_HOUR


def _cached(price: Price) -> float | None:
    """Price of a token read from the provider's cache."""
    return _first(price.cached_prompt_usd_per_mtok, price.prompt_usd_per_mtok)


def _hour_write(price: Price) -> float | None:
    """Price of a token written to the cache for an hour."""
    prompt = price.prompt_usd_per_mtok
    return None if prompt is None else HOUR_WRITE_FACTOR * prompt


def _first(*values: float | None) -> float | None:
    """First value that is known."""
    return next((value for value in values if value is not None), None)
