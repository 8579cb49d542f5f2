"""Moments as people write them on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from emafusion.domain.errors import BadInput

_AGO = re.compile(r"(\d{1,6})(s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RIGHT = "a time such as 2026-11-25, '2026-11-25 14:30', today, yesterday, or 30m, 2h, 7d ago"


def moment(text: str, *, now: datetime, where: str) -> float:
    """Unix seconds of a moment; times without a zone are in the zone of `now`.

    Raises:
        BadInput: it is none.

    >>> from datetime import timezone
    >>> noon = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
    >>> noon.timestamp() - moment("2h", now=noon, where="--since")
    7200.0
    >>> moment("today", now=noon, where="--since") == moment("2026-11-25", now=noon, where="")
    True
    """
    said = text.strip().lower()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if said in days:
        return days[said].timestamp()
    if ago := _AGO.fullmatch(said):
        return now.timestamp() - int(ago[1]) * _UNITS[ago[2]]
    try:
        read = datetime.fromisoformat(text.strip())
        return (read if read.tzinfo else read.replace(tzinfo=now.tzinfo)).timestamp()
    except (ValueError, OverflowError) as error:
        raise BadInput(f"must be {_RIGHT}; got {text!r}", where=where) from error


def shown(created_at: float, *, now: datetime, width: int) -> str:
    """A moment in `width` columns (6 at least), in the zone of `now`: the time, or the day.

    >>> from datetime import timezone
    >>> noon = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
    >>> shown(noon.timestamp() - 60, now=noon, width=8)
    '11:59:00'
    >>> shown(noon.timestamp() - 86_400, now=noon, width=12)
    'Nov 24 12:00'
    >>> shown(noon.timestamp() - 86_400, now=noon, width=8)
    'Nov 24'
    """
    at = datetime.fromtimestamp(created_at, tz=now.tzinfo)
    if at.date() == now.date():
        return at.strftime("%H:%M:%S")
    if at.year != now.year:
        return at.strftime("%Y-%m-%d" if width >= 10 else "%b %Y")
    return at.strftime("%b %d %H:%M" if width >= 12 else "%b %d")
