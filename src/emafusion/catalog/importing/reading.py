"""What the importers share: reading JSON of foreign make, and prices per token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.domain.model import Ability, Model

T = TypeVar("T")


def decoded(data: bytes, kind: type[T], *, what: str) -> T:
    """Read JSON; raises `BadInput` that says which list cannot be read and why.

    Numbers may stand in quotes, as some lists have them.
    """
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadInput(f"cannot be read as {what}: {error}", where="price list") from None


def some(models: Iterable[Model], *, what: str) -> tuple[Model, ...]:
    """The models, of which there must be at least one: another list would read as an empty one."""
    found = tuple(models)
    if not found:
        raise BadInput(f"cannot be read as {what}: it has no chat model", where="price list")
    return found


def price(usd: float | None) -> float | None:
    """A price that makes sense, None otherwise.

    >>> price(0.5), price(-1.0)
    (0.5, None)
    """
    return usd if usd is not None and 0 <= usd < 1e6 else None


def per_mtok(usd_per_token: float | None) -> float | None:
    """US dollars per million tokens; a negative price means that it depends, so unknown.

    >>> per_mtok(2.5e-07)
    0.25
    >>> per_mtok(-1.0) is None
    True
    """
    known = price(usd_per_token)
    return None if known is None else price(round(known * 1e6, 6))


def abilities(flags: Iterable[tuple[Ability, bool | None]]) -> frozenset[Ability]:
    """Abilities whose flag is set."""
    return frozenset(ability for ability, flag in flags if flag)
