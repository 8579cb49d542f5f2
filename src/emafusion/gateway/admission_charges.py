"""From a key and what a request takes to counters: what is held is what is checked and settled.

Every name is made here and nowhere else: what is reserved and what is checked cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf

from msgspec import Struct

from emafusion.gateway.admission_need import Need
from emafusion.store.keys.key import Key, Period
from emafusion.store.keys.ports import Charge, Counter

DAY_S, MINUTE_S = 86_400.0, 60.0

KEPT_S = 400 * DAY_S
"""Seconds that what a day took stays readable."""

ALL = "all"
"""Stands for every key together, in place of an id."""


class Spent(Struct, frozen=True, kw_only=True):
    """What a request took. `is_estimate`: some of it is not known and was estimated."""

    usd: float = 0.0
    tokens: int = 0
    requests: int = 1
    is_estimate: bool = False


class Limit(Struct, frozen=True, kw_only=True):
    """A charge with what it is for: `parallel`, `requests`, `tokens`, or the period of a budget."""

    kind: str
    charge: Charge


def limits(key: Key, need: Need, now_s: float) -> tuple[Limit, ...]:
    """Everything that must be held for a request before it is answered."""
    return tuple(_rates(key, need, now_s)) + tuple(
        Limit(
            kind=budget.period,
            charge=Charge(
                counter=money(key.id, budget.period, now_s), amount=need.usd, limit=budget.usd
            ),
        )
        for budget in key.budgets
    )


def charges(key: Key, spent: Spent, now_s: float) -> tuple[Charge, ...]:
    """Everything that is counted once a request is over; `now_s`: when it was held."""
    periods: set[Period] = {"day"}
    periods.update(budget.period for budget in key.budgets)
    counted = [Charge(counter=money(key.id, each, now_s), amount=spent.usd) for each in periods]
    for name, amount in (("requests", spent.requests), ("tokens", spent.tokens)):
        counted.append(Charge(counter=daily(key.id, name, now_s), amount=amount))
    if key.requests_per_minute is not None:
        counted.append(Charge(counter=minute(key.id, "requests", now_s), amount=spent.requests))
    if key.tokens_per_minute is not None:
        counted.append(Charge(counter=minute(key.id, "tokens", now_s), amount=spent.tokens))
    return tuple(counted)


def _rates(key: Key, need: Need, now_s: float) -> Iterator[Limit]:
    most = key.max_parallel
    if most is not None:
        counter = Counter(name=f"{key.id}/parallel")
        yield Limit(kind="parallel", charge=Charge(counter=counter, amount=1.0, limit=most))
    for kind, amount, limit in (
        ("requests", 1.0, key.requests_per_minute),
        ("tokens", float(need.tokens), key.tokens_per_minute),
    ):
        if limit is not None:
            counter = minute(key.id, kind, now_s)
            yield Limit(kind=kind, charge=Charge(counter=counter, amount=amount, limit=limit))


def money(key_id: str, period: Period, now_s: float) -> Counter:
    """US dollars of a key in the period of the calendar that this moment is in.

    >>> money("key_1", "day", 86_400.0 * 3 + 5).starts_s / 86_400.0
    3.0
    """
    if period == "day":
        return daily(key_id, "usd", now_s)
    starts_s, ends_s = _period(period, now_s)
    return Counter(name=f"{key_id}/usd/{period}", starts_s=starts_s, ends_s=ends_s)


def daily(key_id: str, what: str, now_s: float) -> Counter:
    """What a key took in a day: `usd`, `requests` or `tokens`."""
    starts_s = now_s // DAY_S * DAY_S
    return Counter(
        name=f"{key_id}/{what}/day", starts_s=starts_s, ends_s=starts_s + DAY_S, keep_s=KEPT_S
    )


def minute(key_id: str, what: str, now_s: float) -> Counter:
    """What a key took in a minute that slides."""
    starts_s = now_s // MINUTE_S * MINUTE_S
    return Counter(
        name=f"{key_id}/{what}/minute", starts_s=starts_s, ends_s=starts_s + MINUTE_S, sliding=True
    )


def days_of_month(key_id: str, what: str, now_s: float) -> tuple[Counter, ...]:
    """The days of this month until now, for what they took together."""
    first_s, _ = _period("month", now_s)
    days = int((now_s - first_s) // DAY_S) + 1
    return tuple(daily(key_id, what, first_s + i * DAY_S) for i in range(days))


def _period(period: Period, now_s: float) -> tuple[float, float]:
    """Beginning and end of a period of the calendar in UTC, Unix seconds.

    >>> _period("week", 0.0)[0] / 86_400.0  # 1970 began on a Thursday
    -3.0
    """
    if period == "week":
        starts_s = ((now_s // DAY_S + 3) // 7 * 7 - 3) * DAY_S
        return starts_s, starts_s + 7 * DAY_S
    if period == "month":
        now = datetime.fromtimestamp(now_s, tz=UTC)
        first = datetime(now.year, now.month, 1, tzinfo=UTC)
        then = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
        return first.timestamp(), then.timestamp()
    return 0.0, inf
