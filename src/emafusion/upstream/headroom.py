"""What is left of a provider's rate limits, by the headers of its replies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from emafusion.wire.patience import retry_after_s

_REMAINING = re.compile(
    r"(?P<before>(?:x-)?ratelimit-)remaining(?P<kind>-[\w-]+)?$"
    r"|(?P<theirs>anthropic-ratelimit-[\w-]+-)remaining$"
)
KNOWN_FOR_S = 60.0
"""Seconds after which nothing is known any more of what was left; limits are mostly by minute."""


class Headroom(Struct, frozen=True, kw_only=True):
    """`share` of the tightest limit that is left, in 0..1; holds `until` (a clock's seconds)."""

    share: float
    until: float


def headroom_of(
    headers: Mapping[str, str], /, *, clock_s: float, now: float | None = None
) -> Headroom | None:
    """Read the headers, names in lower case; None where they say nothing of limits.

    `clock_s`: seconds on the clock that `until` is of; `now`: Unix seconds, for dates.

    >>> told = {"x-ratelimit-remaining-requests": "5", "x-ratelimit-limit-requests": "20"}
    >>> headroom_of(told, clock_s=0.0)
    Headroom(share=0.25, until=60.0)
    """
    share = min(_shares(headers), default=None)
    if share is None:
        return None
    lasts_s = KNOWN_FOR_S
    if share <= 0.0:
        limits = {name: text for name, text in headers.items() if not name.startswith("retry")}
        lasts_s = min(retry_after_s(limits, now=now) or 1.0, KNOWN_FOR_S)
    return Headroom(share=share, until=clock_s + lasts_s)


def _shares(headers: Mapping[str, str]) -> Iterator[float]:
    """What is left of each limit that has a name and a size."""
    for name, text in headers.items():
        found = _REMAINING.match(name)
        left = _number(text) if found else None
        if found is None or left is None:
            continue
        if left <= 0.0:
            yield 0.0
            continue
        most = _number(headers.get(_limit_name(found), ""))
        if most is not None and most > 0.0:
            yield min(1.0, left / most)


def _limit_name(found: re.Match[str]) -> str:
    if found["theirs"]:
        return f"{found['theirs']}limit"
    return f"{found['before']}limit{found['kind'] or ''}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
