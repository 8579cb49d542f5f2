"""Quantiles of Student's t distribution, without a statistics library."""

from __future__ import annotations

from math import pi, sqrt, tan
from statistics import NormalDist


def t_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t with `freedom` >= 1 degrees of freedom.

    By Hill's expansion (Algorithm 396, 1970, in the form of Abramowitz and Stegun 26.7.5), right to
    0.5 % from 3 degrees on; below, the exact closed forms.

    >>> (
    ...     round(t_quantile(0.975, 10), 2),
    ...     round(t_quantile(0.975, 2), 2),
    ...     round(t_quantile(0.5, 9), 2),
    ... )
    (2.23, 4.3, 0.0)
    """
    if freedom == 2:
        centred = 2 * probability - 1
        return centred * sqrt(2 / (1 - centred**2))
    if freedom <= 1:
        return tan(pi * (probability - 0.5))
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
