"""models.dev's `api.json`."""

from __future__ import annotations

import msgspec

from emafusion.catalog.importing.reading import abilities, decoded, price, some
from emafusion.catalog.pricing import Tier, TieredPrice
from emafusion.domain.model import Model, Price


class _Cost(msgspec.Struct, frozen=True):
    """US dollars per million tokens."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None


class _Costs(_Cost, frozen=True):
    """Base prices, and those above 200,000 prompt tokens where they differ."""

    context_over_200k: _Cost | None = None


class _Limit(msgspec.Struct, frozen=True):
    context: int = 0
    output: int = 0


class _Modalities(msgspec.Struct, frozen=True):
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


class _Entry(msgspec.Struct, frozen=True):
    id: str
    family: str | None = None
    tool_call: bool = False
    structured_output: bool = False
    reasoning: bool = False
    cost: _Costs | None = None
    limit: _Limit = _Limit()
    modalities: _Modalities = _Modalities()


class _Provider(msgspec.Struct, frozen=True):
    id: str
    models: dict[str, _Entry] = {}


def from_models_dev(data: bytes, *, dated: str | None = None) -> tuple[Model, ...]:
    """Models of the list that give text, by provider. `dated`: its ISO date. Raises `BadInput`.

    >>> data = b'{"groq": {"id": "groq", "models": {"x": {"id": "x", "cost": {"input": 0.5}}}}}'
    >>> from_models_dev(data)[0].price.prompt_usd_per_mtok
    0.5
    """
    what = "models.dev's api.json"
    providers = decoded(data, dict[str, _Provider], what=what)
    models = (
        _model(provider.id, entry, dated)
        for provider in providers.values()
        for entry in provider.models.values()
        if not entry.modalities.output or "text" in entry.modalities.output
    )
    return some(models, what=what)


def _model(provider: str, entry: _Entry, dated: str | None) -> Model:
    return Model(
        name=entry.id,
        provider=provider,
        family=entry.family,
        price=_price(entry.cost, dated),
        context_tokens=entry.limit.context or None,
        max_completion_tokens=entry.limit.output or None,
        abilities=abilities(
            (
                ("tools", entry.tool_call),
                ("json_schema", entry.structured_output),
                ("images", "image" in entry.modalities.input),
                ("reasoning", entry.reasoning),
            )
        ),
    )


def _price(cost: _Costs | None, dated: str | None) -> Price | None:
    if cost is None or (price(cost.input) is None and price(cost.output) is None):
        return None
    long = cost.context_over_200k
    tiers = () if long is None else (Tier(above_tokens=200_000, price=_figures(long, dated)),)
    base = _figures(cost, dated)
    return TieredPrice(
        prompt_usd_per_mtok=base.prompt_usd_per_mtok,
        completion_usd_per_mtok=base.completion_usd_per_mtok,
        cached_prompt_usd_per_mtok=base.cached_prompt_usd_per_mtok,
        cache_write_usd_per_mtok=base.cache_write_usd_per_mtok,
        dated=dated,
        tiers=tiers,
    )


def _figures(cost: _Cost, dated: str | None) -> Price:
    return Price(
        prompt_usd_per_mtok=price(cost.input),
        completion_usd_per_mtok=price(cost.output),
        cached_prompt_usd_per_mtok=price(cost.cache_read),
        cache_write_usd_per_mtok=price(cost.cache_write),
        dated=dated,
    )
