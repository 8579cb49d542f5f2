"""One line of the catalog's data, and the card that says where the data comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec

from emafusion.catalog.pricing import Tier, TieredPrice
from emafusion.domain.model import Ability, Model, Price

Source = Literal["two-lists", "one-list", "quoted", "stated"]
"""Where a price is from: two public price lists that agree, only one of them, the provider's page
as others quote it, or our own statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model as the catalog knows it.

    `aliases`: other names for the same model at the same provider. `released`, `retires`: ISO
    dates, None if not known. `retired`: no longer served on the day the data was made.
    `changes`: prices announced for later, each with the ISO date it holds from, ascending.
    `responses_only`: not served by chat completions. `refuses_sampling`: answers with an error
    to a temperature or top_p; False where that is not known.
    """

    model: Model
    aliases: tuple[str, ...] = ()
    released: str | None = None
    retires: str | None = None
    retired: bool = False
    source: Source | None = None
    changes: tuple[tuple[str, Price], ...] = ()
    responses_only: bool = False
    refuses_sampling: bool = False


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the data was made from and when; dates are ISO dates."""

    made: date
    oldest: date
    sources: tuple[str, ...]
    notes: tuple[str, ...]


class TierLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of calls with a prompt longer than `above_tokens`, as the data file has them."""

    above_tokens: int
    prompt_usd_per_mtok: float | None = None
    completion_usd_per_mtok: float | None = None
    cached_prompt_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None


class ChangeLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices that hold from a later day on."""

    since: date
    prompt_usd_per_mtok: float | None = None
    completion_usd_per_mtok: float | None = None
    cached_prompt_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model in the data file; absent fields are unknown."""

    name: str
    provider: str
    aliases: tuple[str, ...] = ()
    family: str | None = None
    prompt_usd_per_mtok: float | None = None
    completion_usd_per_mtok: float | None = None
    cached_prompt_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    cpu_usd_per_hour: float | None = None
    dated: date | None = None
    source: Source | None = None
    tiers: tuple[TierLine, ...] = ()
    changes: tuple[ChangeLine, ...] = ()
    responses_only: bool = False
    refuses_sampling: bool = False
    context_tokens: int | None = None
    max_completion_tokens: int | None = None
    abilities: frozenset[Ability] = frozenset()
    size_b: float | None = None
    kind: Literal["language", "program"] = "language"
    released: date | None = None
    retires: date | None = None
    retired: bool = False


class CatalogFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole data file."""

    card: Card
    models: tuple[Line, ...]


def entry_of(line: Line) -> Entry:
    """Turn a line of the data file into an entry."""
    model = Model(
        name=line.name,
        provider=line.provider,
        family=line.family,
        price=_price(line),
        context_tokens=line.context_tokens,
        max_completion_tokens=line.max_completion_tokens,
        abilities=line.abilities,
        size_b=line.size_b,
        kind=line.kind,
    )
    return Entry(
        model=model,
        aliases=line.aliases,
        released=_iso(line.released),
        retires=_iso(line.retires),
        retired=line.retired,
        source=line.source,
        changes=tuple(
            (change.since.isoformat(), Price(**_figures(change), dated=_iso(line.dated)))
            for change in line.changes
        ),
        responses_only=line.responses_only,
        refuses_sampling=line.refuses_sampling,
    )


def _price(line: Line) -> Price | None:
    """Price of a line, None where it states no figure."""
    dated = _iso(line.dated)
    figures = (line.prompt_usd_per_mtok, line.completion_usd_per_mtok, line.cpu_usd_per_hour)
    if all(figure is None for figure in figures):
        return None
    return TieredPrice(
        **_figures(line),
        cpu_usd_per_hour=line.cpu_usd_per_hour,
        dated=dated,
        tiers=tuple(
            Tier(above_tokens=tier.above_tokens, price=Price(**_figures(tier), dated=dated))
            for tier in line.tiers
        ),
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _figures(line: Line | TierLine | ChangeLine) -> dict[str, float | None]:
    """The four token prices, by their names in `Price`."""
    return {
        "prompt_usd_per_mtok": line.prompt_usd_per_mtok,
        "completion_usd_per_mtok": line.completion_usd_per_mtok,
        "cached_prompt_usd_per_mtok": line.cached_prompt_usd_per_mtok,
        "cache_write_usd_per_mtok": line.cache_write_usd_per_mtok,
    }
