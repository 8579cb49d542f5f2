"""How many labels a certificate takes: told before anybody labels, and where there are too few."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil, log

from emafusion.replay.guarantee.binomial import at_most

MOST = 1_000_000
"""Labels beyond which the answer is: not in this way."""


def labels_needed(limit: float, delta: float, rate: float = 0.0) -> int | None:
    """Labels from which on "at most a share `limit` is wrong" passes at confidence 1 - `delta`.

    `rate`: share that is really wrong; the labels are taken to show just that, rounded down. None
    where no number helps: `rate` >= `limit`, or beyond a million.

    >>> labels_needed(0.05, 0.1), labels_needed(0.05, 0.1, 0.025), labels_needed(0.05, 0.1, 0.05)
    (45, 132, None)
    """
    if rate >= limit:
        return None
    if rate <= 0.0:
        return ceil(log(delta) / log(1.0 - limit))
    # One more error makes the test harder, more labels with as many errors make it easier: so first
    # the number of errors with which it never fails again, then the labels with one error less.
    most = int(MOST * rate)
    errors = bisect_left(range(most), 1, key=lambda k: _passes(k, ceil(k / rate), (limit, delta)))
    if errors == most:
        return None
    before = range(ceil((errors - 1) / rate), ceil(errors / rate) + 1)
    place = bisect_left(before, 1, key=lambda n: _passes(errors - 1, n, (limit, delta)))
    return before[min(place, len(before) - 1)]


def abstention_needed(risk: float, limit: float) -> float:
    """Share of queries that any method must leave out to keep risk at `limit`: (risk - a)/(1 - a).

    `risk`: share wrong if all were answered. Zero where nothing must be left out.

    >>> round(abstention_needed(0.28, 0.05), 3)
    0.242
    """
    return max(0.0, (risk - limit) / (1.0 - limit))


def _passes(errors: int, labels: int, promise: tuple[float, float]) -> bool:
    limit, delta = promise
    return at_most(errors, labels, limit) <= delta
