"""A key as it is shown: its settings, how it stands, what it took. Never its secret."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, structs

from emafusion.gateway.key_form import form_of, moment_of
from emafusion.store.keys.key import Key, Period

Standing = Literal["active", "disabled", "expired", "revoked"]


class Amounts(Struct, frozen=True, kw_only=True):
    """What was taken in a time."""

    usd: float = 0.0
    requests: int = 0
    tokens: int = 0


class Spending(Struct, frozen=True, kw_only=True):
    """How a budget stands: `used_usd` is spent, `held_usd` reserved by requests under way."""

    period: Period
    budget_usd: float
    used_usd: float
    held_usd: float
    resets_at: datetime | None


class Usage(Struct, frozen=True, kw_only=True):
    """What a key took today and this month (UTC), and how its budgets stand."""

    today: Amounts
    month: Amounts
    budgets: tuple[Spending, ...] = ()


def standing(key: Key, now_s: float) -> Standing:
    """Whether a key lets anybody in, in a word.

    >>> standing(Key(id="k", name="n", enabled=False), 0.0)
    'disabled'
    """
    if key.revoked_at is not None:
        return "revoked"
    if not key.enabled:
        return "disabled"
    return "active" if key.fault(now_s) is None else "expired"


def shown(key: Key, now_s: float, usage: Usage | None = None) -> dict[str, object]:
    """The key as JSON has it."""
    told: dict[str, object] = {"id": key.id, "status": standing(key, now_s)}
    told |= structs.asdict(form_of(key))
    told |= {"created_at": moment_of(key.created_at), "revoked_at": moment_of(key.revoked_at)}
    return told if usage is None else told | {"usage": usage}
