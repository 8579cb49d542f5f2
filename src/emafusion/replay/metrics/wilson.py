"""An interval of a share that few answers are behind."""

from __future__ import annotations

from math import sqrt

from emafusion.replay.metrics.bootstrap import Interval

Z = 1.959964
"""Standard normal quantile of 97.5 %."""


def wilson(mean: float, count: int) -> Interval:
    """95 % score interval of a mean of `count` values in 0..1.

    Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 1927). Made
    for right and wrong; for graded scores it is a little too wide. Unlike a bootstrap it does not
    shrink to a point where five of five are right.

    >>> found = wilson(1.0, 5)
    >>> round(found.low, 3), found.high
    (0.566, 1.0)
    """
    spread = Z * Z / count
    middle = (mean + spread / 2) / (1 + spread)
    reach = Z * sqrt(max(mean * (1 - mean), 0.0) / count + spread / (4 * count)) / (1 + spread)
    return Interval(mean=mean, low=max(0.0, middle - reach), high=min(1.0, middle + reach))
