"""LiteLLM's `model_prices_and_context_window.json`."""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from emafusion.catalog.importing.reading import abilities, decoded, per_mtok, some
from emafusion.catalog.pricing import Tier, TieredPrice
from emafusion.domain.model import Model, Price

Raw: TypeAlias = dict[str, msgspec.Raw]

_TIER = re.compile(r"(\w+_cost_per_token|\w+_token_cost)_above_(\d+)k_tokens$")
_PROMPT, _COMPLETION = "input_cost_per_token", "output_cost_per_token"
_CACHED, _WRITTEN = "cache_read_input_token_cost", "cache_creation_input_token_cost"


class _Row(msgspec.Struct, frozen=True):
    """The fields that are read; LiteLLM has many more."""

    litellm_provider: str = ""
    mode: str = ""
    max_input_tokens: int | float | str | None = None
    max_output_tokens: int | float | str | None = None
    supports_function_calling: bool | None = None
    supports_response_schema: bool | None = None
    supports_vision: bool | None = None
    supports_reasoning: bool | None = None


def from_litellm(data: bytes, *, dated: str | None = None) -> tuple[Model, ...]:
    """Chat models of the list, named without their provider prefix.

    A model whose every price is 0 counts as unpriced: the list writes 0 where it does not know.
    Rows that are not a chat model are left out. `dated`: ISO date of the list. Raises `BadInput`.

    >>> row = b'{"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 1e-6}'
    >>> [
    ...     (model.name, model.price.prompt_usd_per_mtok)
    ...     for model in from_litellm(b'{"x": %s}' % row)
    ... ]
    [('x', 1.0)]
    """
    what = "LiteLLM's price list"
    rows = decoded(data, dict[str, Raw], what=what)
    read = (_model(name, fields, dated) for name, fields in rows.items() if name != "sample_spec")
    return some((model for model in read if model is not None), what=what)


def _model(name: str, fields: Raw, dated: str | None) -> Model | None:
    row = decoded(msgspec.json.encode(fields), _Row, what=f"LiteLLM's entry {name}")
    if row.mode != "chat":
        return None
    return Model(
        name=name.removeprefix(f"{row.litellm_provider}/"),
        provider=row.litellm_provider,
        price=_price(_numbers(fields), dated),
        context_tokens=_count(row.max_input_tokens),
        max_completion_tokens=_count(row.max_output_tokens),
        abilities=abilities(
            (
                ("tools", row.supports_function_calling),
                ("json_schema", row.supports_response_schema),
                ("images", row.supports_vision),
                ("reasoning", row.supports_reasoning),
            )
        ),
    )


def _numbers(fields: Raw) -> dict[str, float]:
    """Every cost field that is a number."""
    costs: dict[str, float] = {}
    for name, raw in fields.items():
        if "_cost" in name:
            try:
                costs[name] = msgspec.json.decode(raw, type=float)
            except msgspec.ValidationError:
                continue
    return costs


def _price(costs: dict[str, float], dated: str | None) -> Price | None:
    if not any(costs.get(name) for name in (_PROMPT, _COMPLETION)):
        return None
    marks = {int(found[2]) * 1000 for name in costs if (found := _TIER.match(name))}
    tiers = tuple(
        Tier(above_tokens=mark, price=_figures(costs, f"_above_{mark // 1000}k_tokens", dated))
        for mark in sorted(marks)
    )
    base = _figures(costs, "", dated)
    return TieredPrice(
        prompt_usd_per_mtok=base.prompt_usd_per_mtok,
        completion_usd_per_mtok=base.completion_usd_per_mtok,
        cached_prompt_usd_per_mtok=base.cached_prompt_usd_per_mtok,
        cache_write_usd_per_mtok=base.cache_write_usd_per_mtok,
        dated=dated,
        tiers=tiers,
    )


def _figures(costs: dict[str, float], ending: str, dated: str | None) -> Price:
    """Prices of one tier; what the tier does not say is as in the base."""

    def figure(name: str) -> float | None:
        return per_mtok(costs.get(f"{name}{ending}", costs.get(name)))

    return Price(
        prompt_usd_per_mtok=figure(_PROMPT),
        completion_usd_per_mtok=figure(_COMPLETION),
        cached_prompt_usd_per_mtok=figure(_CACHED) or None,
        cache_write_usd_per_mtok=figure(_WRITTEN) or None,
        dated=dated,
    )


def _count(value: float | str | None) -> int | None:
    """A number of tokens; the list has some as text."""
    try:
        count = int(float(value)) if value is not None else 0
    except (ValueError, OverflowError):
        return None
    return count if count > 0 else None
