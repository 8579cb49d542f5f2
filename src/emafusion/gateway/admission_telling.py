"""How limits are told: headers as OpenAI's API has them, and how long to wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emafusion.gateway.admission_charges import MINUTE_S, Limit
from emafusion.gateway.http import Headers
from emafusion.store.keys.ports import Charge, Level


def rate_headers(limits: Sequence[Limit], levels: Sequence[Level], now_s: float) -> Headers:
    """`x-ratelimit-*` of requests and tokens, as far as the key limits them."""
    return tuple(_told(limits, levels, now_s))


def _told(
    limits: Sequence[Limit], levels: Sequence[Level], now_s: float
) -> Iterator[tuple[str, str]]:
    for limit, level in zip(limits, levels, strict=True):
        if limit.kind not in {"requests", "tokens"}:
            continue
        most, taken = limit.charge.limit, level.taken
        resets_s = limit.charge.counter.ends_s + MINUTE_S - now_s if taken > 0.0 else 0.0
        yield f"x-ratelimit-limit-{limit.kind}", f"{most:.0f}"
        yield f"x-ratelimit-remaining-{limit.kind}", str(int(max(most - taken, 0.0)))
        yield f"x-ratelimit-reset-{limit.kind}", f"{resets_s:.0f}s"


def wait_s(charge: Charge, here: float, before: float, *, now_s: float) -> float:
    """Seconds until a charge fits into its sliding window, if nobody else asks meanwhile.

    `here`, `before`: what is taken in the window and in the one before it. The charge must not be
    more than its limit.

    >>> from emafusion.store.keys.ports import Counter
    >>> minute = Counter(name="n", starts_s=0.0, ends_s=60.0, sliding=True)
    >>> wait_s(Charge(counter=minute, amount=1.0, limit=4.0), 0.0, 4.0, now_s=0.0)
    15.0
    >>> wait_s(Charge(counter=minute, amount=1.0, limit=4.0), 4.0, 0.0, now_s=30.0)
    45.0
    """
    counter, room = charge.counter, charge.limit - charge.amount
    lasts_s = counter.lasts_s
    if here <= room:
        share = (room - here) / before if before > 0.0 else 1.0
        return max(counter.starts_s + (1.0 - share) * lasts_s - now_s, 0.0)
    return max(counter.ends_s + (1.0 - room / here) * lasts_s - now_s, 0.0)
