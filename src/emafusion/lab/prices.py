"""Prices stated after the fact: a file of model -> US dollars per million tokens."""

from __future__ import annotations

from pathlib import Path

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.domain.model import Price


class _Stated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model's price as a file states it."""

    prompt_usd_per_mtok: float
    completion_usd_per_mtok: float
    cached_prompt_usd_per_mtok: float | None = None


def read_prices(path: Path) -> dict[str, Price]:
    """Read a YAML or JSON file of prices by model name.

    Raises `BadInput`, which names the key, for anything else.
    """
    try:
        stated = msgspec.yaml.decode(path.read_bytes(), type=dict[str, _Stated])
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(path)) from error
    except msgspec.MsgspecError as error:
        wanted = "wanted: 'MODEL: {prompt_usd_per_mtok: 0.15, completion_usd_per_mtok: 0.6}'"
        raise BadInput(f"{_one_line(error)}; {wanted}", where=str(path)) from error
    negative = [name for name, price in stated.items() if _least(price) < 0]
    if negative:
        raise BadInput(f"the price of '{negative[0][:80]}' is below 0", where=str(path))
    return {
        name: Price(
            prompt_usd_per_mtok=price.prompt_usd_per_mtok,
            completion_usd_per_mtok=price.completion_usd_per_mtok,
            cached_prompt_usd_per_mtok=price.cached_prompt_usd_per_mtok,
        )
        for name, price in stated.items()
    }


def _least(price: _Stated) -> float:
    return min(price.prompt_usd_per_mtok, price.completion_usd_per_mtok)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
