"""How a report writes its numbers: shares in per cent, gaps in points, money for a thousand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from emafusion.replay.metrics.bootstrap import Interval

UNKNOWN = "-"


def percent(value: float | None, digits: int = 1) -> str:
    """A share.

    >>> percent(0.7213, 2), percent(None)
    ('72.13 %', '-')
    """
    return UNKNOWN if value is None else f"{100 * value:.{digits}f} %"


def points(gap: Interval | None) -> str:
    """A difference in points of accuracy with its interval.

    >>> points(Interval(mean=0.0321, low=0.02, high=0.041))
    '+3.2 (+2.0 to +4.1)'
    """
    return UNKNOWN if gap is None else f"{100 * gap.mean:+.1f} ({gap_span(gap)})"


def gap_span(gap: Interval) -> str:
    """The interval of a difference, in points."""
    return f"{100 * gap.low:+.1f} to {100 * gap.high:+.1f}"


def span(reach: Interval | None) -> str:
    """The interval of a share.

    >>> span(Interval(mean=0.7, low=0.65, high=0.75))
    '65.0 to 75.0 %'
    """
    return UNKNOWN if reach is None else f"{100 * reach.low:.1f} to {100 * reach.high:.1f} %"


def thousand(cost_usd: float | None) -> str:
    """Dollars for a thousand queries, three digits.

    >>> thousand(0.0012345), thousand(0.0), thousand(None)
    ('1.23', '0', '-')
    """
    if cost_usd is None:
        return UNKNOWN
    usd = 1000 * cost_usd
    return f"{usd:,.0f}" if usd >= 1000 else f"{usd:.3g}"


def short(gap: float | None) -> str:
    """Points of accuracy by which something falls short.

    >>> short(0.174), short(None)
    ('17.4', '-')
    """
    return UNKNOWN if gap is None else f"{100 * gap:.1f}"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def share_of(share: float) -> str:
    """A part of the best single model's cost B.

    >>> share_of(1.0), share_of(0.25)
    ('B', 'B/4')
    """
    return "B" if share >= 1 else f"B/{1 / share:g}"


def part_of(share: float | None) -> str:
    """A part of a price as people say it.

    >>> part_of(0.0645), part_of(1.3), part_of(0.8), part_of(None)
    ('1/15.5', '1.30 times', '1/1.2', '-')
    """
    if share is None or share <= 0:
        return UNKNOWN
    return f"1/{1 / share:.{1 if share > 0.01 else 0}f}" if share < 1 else f"{share:.2f} times"


def without_common(names: Sequence[str]) -> list[str]:
    """Names without the folders that all of them are in.

    >>> without_common(["mmlu/law", "mmlu/art"]), without_common(["a/law", "b/law"])
    (['law', 'art'], ['a/law', 'b/law'])
    """
    if len(names) < 2:
        return list(names)
    levels = zip(*(name.split("/")[:-1] for name in names), strict=False)
    depth = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    return ["/".join(name.split("/")[depth:]) for name in names]


def named(name: str, most: int = 32) -> str:
    """A name short enough for a picture; an empty one is said to be none.

    >>> named("x" * 40)[-3:], named("")
    ('xx…', '(none)')
    """
    if not name:
        return "(none)"
    return name if len(name) <= most else f"{name[: most - 1]}…"
