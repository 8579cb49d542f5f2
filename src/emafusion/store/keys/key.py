"""A gateway key: who may call, which models, for how much money, how often, how long."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Period = Literal["day", "week", "month", "total"]


class Budget(Struct, frozen=True, kw_only=True):
    """US dollars that may be spent in a period of the calendar (UTC; weeks begin on Monday)."""

    usd: float
    period: Period


class Key(Struct, frozen=True, kw_only=True):
    """What is known of a key; never the secret itself, nor its digest.

    `id`: for logs and commands. `models`: names of candidates that may be used, empty = all.
    `quality_weight`: where a request says none, None = the gateway's; `lowest_weight` and
    `highest_weight`: what a request may ask for, 0..1. `budgets`: one for each period at most.
    `requests_per_minute`, `tokens_per_minute` (prompt and completion together), `max_parallel`:
    None = no limit. `tags`: put into the log with every request. Times are Unix seconds, None =
    never. `enabled`: False = refused until enabled again; a revoked key is refused for ever.
    `is_counted`: what it spends is counted; not so for keys of the environment.
    """

    id: str
    name: str
    models: tuple[str, ...] = ()
    quality_weight: float | None = None
    lowest_weight: float = 0.0
    highest_weight: float = 1.0
    budgets: tuple[Budget, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_parallel: int | None = None
    tags: tuple[tuple[str, str], ...] = ()
    enabled: bool = True
    created_at: float = 0.0
    expires_at: float | None = None
    revoked_at: float | None = None
    is_counted: bool = True

    @property
    def has_weights(self) -> bool:
        """Whether it narrows what quality_weight a request may ask for."""
        return self.lowest_weight > 0.0 or self.highest_weight < 1.0

    @property
    def is_limited(self) -> bool:
        """Whether it may do less than whoever owns the gateway, other than by its time.

        >>> Key(id="k1", name="ci").is_limited, Key(id="k2", name="x", models=("m",)).is_limited
        (False, True)
        """
        rates = (self.requests_per_minute, self.tokens_per_minute, self.max_parallel)
        return bool(self.models or self.budgets or self.has_weights or any(rates))

    def fault(self, now_s: float) -> str | None:
        """Why it lets nobody in now, in a few words; None where it does.

        >>> Key(id="k1", name="ci", expires_at=100.0).fault(now_s=101.0)
        'has expired'
        """
        if self.revoked_at is not None:
            return "was revoked"
        if not self.enabled:
            return "is switched off"
        if self.expires_at is not None and now_s >= self.expires_at:
            return "has expired"
        return None
