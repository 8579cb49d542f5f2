"""OpenRouter's `GET /api/v1/models`."""

from __future__ import annotations

import msgspec

from emafusion.catalog.importing.reading import abilities, decoded, per_mtok, some
from emafusion.domain.model import Model, Price


class _Pricing(msgspec.Struct, frozen=True):
    """US dollars per token, as text; `-1` where it depends."""

    prompt: float | None = None
    completion: float | None = None
    input_cache_read: float | None = None
    input_cache_write: float | None = None


class _Architecture(msgspec.Struct, frozen=True):
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()


class _Top(msgspec.Struct, frozen=True):
    max_completion_tokens: int | None = None


class _Entry(msgspec.Struct, frozen=True):
    id: str
    context_length: int | None = None
    pricing: _Pricing = _Pricing()
    architecture: _Architecture = _Architecture()
    top_provider: _Top = _Top()
    supported_parameters: tuple[str, ...] = ()


class _List(msgspec.Struct, frozen=True):
    data: tuple[_Entry, ...]


def from_openrouter(data: bytes, *, dated: str | None = None) -> tuple[Model, ...]:
    """Models of the list that give text. `dated`: its ISO date. Raises `BadInput`.

    A `:free` model is free; a router that picks among models (`-1`) has no price.

    >>> data = b'{"data": [{"id": "a/b", "pricing": {"prompt": "0.000001", "completion": "0"}}]}'
    >>> from_openrouter(data)[0].price.prompt_usd_per_mtok
    1.0
    """
    what = "OpenRouter's list of models"
    found = decoded(data, _List, what=what)
    return some((_model(entry, dated) for entry in found.data if _writes(entry)), what=what)


def _writes(entry: _Entry) -> bool:
    """Whether the model gives text, as it does where nothing is said."""
    gives = entry.architecture.output_modalities
    return not gives or "text" in gives


def _model(entry: _Entry, dated: str | None) -> Model:
    parameters = entry.supported_parameters
    return Model(
        name=entry.id,
        provider="openrouter",
        price=_price(entry.pricing, dated),
        context_tokens=entry.context_length or None,
        max_completion_tokens=entry.top_provider.max_completion_tokens or None,
        abilities=abilities(
            (
                ("tools", "tools" in parameters),
                ("json_object", "response_format" in parameters),
                ("json_schema", "structured_outputs" in parameters),
                ("images", "image" in entry.architecture.input_modalities),
                ("logprobs", "logprobs" in parameters),
                ("reasoning", "reasoning" in parameters),
            )
        ),
    )


def _price(pricing: _Pricing, dated: str | None) -> Price | None:
    prompt, completion = per_mtok(pricing.prompt), per_mtok(pricing.completion)
    if prompt is None and completion is None:
        return None
    return Price(
        prompt_usd_per_mtok=prompt,
        completion_usd_per_mtok=completion,
        cached_prompt_usd_per_mtok=per_mtok(pricing.input_cache_read),
        cache_write_usd_per_mtok=per_mtok(pricing.input_cache_write),
        dated=dated,
    )
