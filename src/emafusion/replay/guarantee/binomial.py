"""Tails of the binomial distribution, exact, without a statistics library."""

from __future__ import annotations

from math import exp, fsum, lgamma, log


def at_most(k: int, n: int, p: float) -> float:
    """P(Bin(n, p) <= k).

    Raises `ValueError` unless 0 <= p <= 1 and n >= 0.

    >>> round(at_most(3, 132, 0.05), 4)
    0.0992
    >>> at_most(-1, 10, 0.5), at_most(10, 10, 0.5)
    (0.0, 1.0)
    """
    if not (0.0 <= p <= 1.0 and n >= 0):
        msg = f"needs 0 <= p <= 1 and n >= 0, got p = {p}, n = {n}"
        raise ValueError(msg)
    if k < 0:
        return 0.0
    if k >= n or p == 0.0:
        return 1.0
    if p == 1.0:
        return 0.0
    return min(1.0, fsum(exp(_log_mass(i, n, p)) for i in range(k + 1)))


def at_least(k: int, n: int, p: float) -> float:
    """P(Bin(n, p) >= k).

    >>> at_least(9, 9, 0.5) == 0.5**9
    True
    """
    return at_most(n - k, n, 1.0 - p)


def _log_mass(i: int, n: int, p: float) -> float:
    ways = lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1)
    return ways + i * log(p) + (n - i) * log(1.0 - p)
