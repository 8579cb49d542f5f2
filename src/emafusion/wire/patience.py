"""How long a provider asks to wait, in all the ways that providers say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_HTTP_DATE = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_RESETS = re.compile(r"^(?:x-)?(?:anthropic-)?ratelimit-(?:reset-(\w+)|(\w+)-reset)$")


LONGEST_S = 31 * 86400.0
"""Some limits are by the month; whoever asks for more does not mean it."""

MOST_DIGITS = 30


def retry_after_s(headers: Mapping[str, str], /, *, now: float | None = None) -> float | None:
    """Seconds to wait before another try; None where the provider does not say.

    Read in this order: `retry-after-ms`, `retry-after` (seconds or, if `now` in Unix seconds is
    given, a date), then the reset of an exhausted rate limit. Names of headers in lower case.

    >>> retry_after_s({"retry-after": "1.5"})
    1.5
    >>> retry_after_s({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "0"})
    360.0
    """
    waits = (
        _scaled(headers.get("retry-after-ms"), 0.001),
        _scaled(headers.get("retry-after"), 1.0),
        _until(headers.get("retry-after"), now),
        _reset(headers, now),
    )
    wait = next((wait for wait in waits if wait is not None), None)
    return None if wait is None else min(wait, LONGEST_S)


def duration_s(text: str, /) -> float | None:
    """Read a duration such as `1h2m`, `20ms` or `34.07s`; None if it is none.

    >>> duration_s("1m30s")
    90.0
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _scaled(text: str | None, scale: float) -> float | None:
    found = _NUMBER.fullmatch((text or "").strip())
    return None if found is None else float(found[0][:MOST_DIGITS]) * scale


def _until(text: str | None, now: float | None) -> float | None:
    """Seconds from `now` to a date, in HTTP's or in ISO 8601 form."""
    if not text or now is None:
        return None
    try:
        when = datetime.fromisoformat(text) if text[:4].isdigit() else _http_date(text)
    except ValueError:
        return None
    return max(0.0, when.replace(tzinfo=when.tzinfo or UTC).timestamp() - now)


def _http_date(text: str) -> datetime:
    """Read a date as HTTP writes it; the names of months do not depend on the locale."""
    found = _HTTP_DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    day, _, year, hour, minute, second = found.groups()
    month = _MONTHS.index(found.group(2)) + 1
    return datetime(int(year), month, int(day), int(hour), int(minute), int(second), tzinfo=UTC)


def _reset(headers: Mapping[str, str], now: float | None) -> float | None:
    """Time to the reset of the limits that are used up; of the nearest one if none is named."""
    used_up: list[float] = []
    others: list[float] = []
    for name, text in headers.items():
        found = _RESETS.match(name)
        wait = _wait(text, now) if found else None
        if found and wait is not None:
            limit = found.group(1) or found.group(2)
            (used_up if _remaining(headers, limit) == "0" else others).append(wait)
    return max(used_up) if used_up else min(others, default=None)


def _wait(text: str, now: float | None) -> float | None:
    duration = duration_s(text)
    return _until(text, now) if duration is None else duration


def _remaining(headers: Mapping[str, str], limit: str) -> str | None:
    names = (
        f"x-ratelimit-remaining-{limit}",
        f"ratelimit-remaining-{limit}",
        f"anthropic-ratelimit-{limit}-remaining",
    )
    return next((headers[name].strip() for name in names if name in headers), None)
