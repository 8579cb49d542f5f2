"""Prices and costs in words; what is unknown says so."""

from __future__ import annotations

from typing import Literal

from emafusion.domain.model import Price

Figure = Literal["prompt_usd_per_mtok", "completion_usd_per_mtok"]


def per_mtok(price: Price | None, figure: Figure) -> str:
    """Dollars per million tokens, or the price of CPU time, or `unknown`.

    >>> per_mtok(Price(cpu_usd_per_hour=0.04), "prompt_usd_per_mtok")
    '0.04 $/CPU h'
    """
    if price is None:
        return "unknown"
    if price.cpu_usd_per_hour is not None:
        return f"{price.cpu_usd_per_hour:g} $/CPU h"
    value = getattr(price, figure)
    return "unknown" if value is None else f"{value:g}"


def dollars(cost_usd: float | None) -> str:
    """A cost with enough digits to see it, in nine characters at most below a million.

    >>> dollars(0.000123), dollars(0.0000123), dollars(0.0000058), dollars(1.5), dollars(None)
    ('$0.000123', '$0.000012', '$5.8e-06', '$1.50', 'unknown')
    """
    if cost_usd is None:
        return "unknown"
    if cost_usd >= 1.0:
        return f"${cost_usd:,.2f}"
    if cost_usd >= 1e-5:
        return f"${float(f'{cost_usd:.3g}'):.6f}".rstrip("0")
    return f"${cost_usd:.1e}" if cost_usd else "$0"
