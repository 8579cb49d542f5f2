"""Lay one description of a model over another, field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from emafusion.catalog.pricing import Tier, TieredPrice
from emafusion.domain.model import Model, Price

T = TypeVar("T")


def merge(base: Model, over: Model) -> Model:
    """Take each field from `over` where it is known there, else from `base`.

    Empty `abilities` count as unknown. Price fields merge one by one; a flat price laid over a
    tiered one removes the tiers, since nobody said what long prompts then cost.

    >>> base = Model(
    ...     name="m", provider="p", context_tokens=8192, price=Price(prompt_usd_per_mtok=1.0)
    ... )
    >>> over = Model(name="m", provider="p", price=Price(completion_usd_per_mtok=3.0))
    >>> merged = merge(base, over)
    >>> (
    ...     merged.context_tokens,
    ...     merged.price.prompt_usd_per_mtok,
    ...     merged.price.completion_usd_per_mtok,
    ... )
    (8192, 1.0, 3.0)
    """
    return replace(
        over,
        family=_known(over.family, base.family),
        price=merge_price(base.price, over.price),
        context_tokens=_known(over.context_tokens, base.context_tokens),
        max_completion_tokens=_known(over.max_completion_tokens, base.max_completion_tokens),
        abilities=over.abilities or base.abilities,
        size_b=_known(over.size_b, base.size_b),
        kind=over.kind if over.kind != "language" else base.kind,
    )


def merge_price(base: Price | None, over: Price | None) -> Price | None:
    """Merge two prices field by field; None only if both are.

    >>> from emafusion.catalog.pricing import price_at
    >>> tiered = TieredPrice(prompt_usd_per_mtok=1.0, tiers=(Tier(above_tokens=9, price=Price()),))
    >>> price_at(merge_price(tiered, Price(prompt_usd_per_mtok=2.0)), 10).prompt_usd_per_mtok
    2.0
    """
    if base is None or over is None:
        return base if over is None else over
    return TieredPrice(
        prompt_usd_per_mtok=_known(over.prompt_usd_per_mtok, base.prompt_usd_per_mtok),
        completion_usd_per_mtok=_known(over.completion_usd_per_mtok, base.completion_usd_per_mtok),
        cached_prompt_usd_per_mtok=_known(
            over.cached_prompt_usd_per_mtok, base.cached_prompt_usd_per_mtok
        ),
        cache_write_usd_per_mtok=_known(
            over.cache_write_usd_per_mtok, base.cache_write_usd_per_mtok
        ),
        cpu_usd_per_hour=_known(over.cpu_usd_per_hour, base.cpu_usd_per_hour),
        dated=_known(over.dated, base.dated),
        tiers=_tiers(base, over),
    )


def _tiers(base: Price, over: Price) -> tuple[Tier, ...]:
    """Tiers of `over`; those of `base` only where `over` says nothing of any token's price."""
    if isinstance(over, TieredPrice) and over.tiers:
        return over.tiers
    figures = (
        over.prompt_usd_per_mtok,
        over.completion_usd_per_mtok,
        over.cached_prompt_usd_per_mtok,
        over.cache_write_usd_per_mtok,
    )
    silent = all(figure is None for figure in figures)
    return base.tiers if silent and isinstance(base, TieredPrice) else ()


def _known(over: T | None, base: T | None) -> T | None:
    return base if over is None else over
