"""Prices that depend on the length of the prompt."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.model import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Prices of a whole call whose prompt is longer than `above_tokens` tokens."""

    above_tokens: int
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class TieredPrice(Price):
    """A price whose own figures hold up to the first tier; tiers ascend by `above_tokens`.

    Providers bill the *whole* call at the tier that its prompt reaches, not only the excess.
    """

    tiers: tuple[Tier, ...] = ()


def price_at(price: Price, prompt_tokens: float) -> Price:
    """Give the price that holds for a call with so many prompt tokens.

    >>> long = Tier(above_tokens=200_000, price=Price(prompt_usd_per_mtok=4.0))
    >>> price = TieredPrice(prompt_usd_per_mtok=2.0, tiers=(long,))
    >>> price_at(price, 200_000).prompt_usd_per_mtok, price_at(price, 200_001).prompt_usd_per_mtok
    (2.0, 4.0)
    """
    if not isinstance(price, TieredPrice):
        return price
    reached = [tier for tier in price.tiers if prompt_tokens > tier.above_tokens]
    return max(reached, key=lambda tier: tier.above_tokens).price if reached else price
