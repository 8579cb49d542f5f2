"""Curves of quality against cost, and what is read off them."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats


def hull(cost_usd: Floats, quality: Floats) -> tuple[Floats, Floats]:
    """Corners of the non-decreasing upper convex hull: costs and qualities, both ascending.

    Every point of it can be had by drawing by lot between two settings. RouterBench calls that of
    single models the zero router (Hu et al., arXiv 2403.12031).

    >>> costs, qualities = hull(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.6, 0.9]))
    >>> costs.tolist(), qualities.tolist()
    ([1.0, 3.0], [0.5, 0.9])
    """
    kept: list[tuple[float, float]] = []
    for place in np.lexsort((-quality, cost_usd)).tolist():
        point = float(cost_usd[place]), float(quality[place])
        if kept and (point[1] <= kept[-1][1] or point[0] == kept[-1][0]):
            continue
        while len(kept) > 1 and _is_under(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    corners = np.array(kept).reshape(-1, 2)
    return corners[:, 0], corners[:, 1]


def at_cost(cost_usd: Floats, quality: Floats, budget_usd: float) -> float | None:
    """Quality at a mean cost, drawing by lot between two settings; None below the cheapest.

    >>> at_cost(np.array([1.0, 3.0]), np.array([0.5, 0.9]), 2.0)
    0.7
    """
    costs, qualities = hull(cost_usd, quality)
    if not costs.size or budget_usd < costs[0] * (1 - 1e-9):
        return None
    return float(np.interp(budget_usd, costs, qualities))


def cost_of(cost_usd: Floats, quality: Floats, wanted: float) -> float | None:
    """The least mean cost at which this quality is reached; None where it never is.

    >>> cost_of(np.array([1.0, 3.0]), np.array([0.5, 1.0]), 0.75)
    2.0
    """
    costs, qualities = hull(cost_usd, quality)
    if not costs.size or wanted > qualities[-1] + 1e-12:
        return None
    return float(np.interp(wanted, qualities, costs))


def mixed_at(cost_usd: Floats, budget_usd: float) -> tuple[int, int, float] | None:
    """The two settings next to a mean cost, and the share of the dearer: (low, high, share).

    `cost_usd`: float64[k], mean cost of each setting. The dearest setting alone where even that
    costs less; None where the cheapest costs more.
    """
    order = np.argsort(cost_usd, kind="stable").tolist()
    costs = cost_usd[order]
    if not order or budget_usd < costs[0] * (1 - 1e-9):
        return None
    above = int(np.searchsorted(costs, budget_usd * (1 + 1e-12), side="right"))
    if above == len(order):
        return order[-1], order[-1], 0.0
    low, high = order[max(above - 1, 0)], order[above]
    reach = float(cost_usd[high] - cost_usd[low])
    share = (budget_usd - float(cost_usd[low])) / reach if reach > 0 else 0.0
    return low, high, min(max(share, 0.0), 1.0)


def area(cost_usd: Floats, quality: Floats, *, low_usd: float, high_usd: float) -> float | None:
    """Mean quality of the hull over a range of cost: AIQ, average improvement in quality.

    RouterBench (Hu et al., arXiv 2403.12031): the area under the non-decreasing hull, divided by
    the range, which has to be the same for all that is compared. Below the cheapest setting the
    quality counts as the cheapest one's, above the dearest as the dearest one's.

    >>> area(np.array([1.0, 3.0]), np.array([0.5, 0.9]), low_usd=1.0, high_usd=3.0)
    0.7
    """
    if not high_usd > low_usd or not np.size(cost_usd):
        return None
    costs, qualities = hull(cost_usd, quality)
    inside = costs[(costs > low_usd) & (costs < high_usd)]
    at = np.concatenate(([low_usd], inside, [high_usd]))
    height = np.interp(at, costs, qualities)
    return float(((height[1:] + height[:-1]) / 2 * np.diff(at)).sum() / (high_usd - low_usd))


def gap_recovered(quality: float, *, weak: float, strong: float) -> float | None:
    """Performance gap recovered: 0 as the weak model, 1 as the strong one, above 1 better.

    RouteLLM (Ong et al., arXiv 2406.18665). None where the strong model is not stronger.

    >>> round(gap_recovered(0.8, weak=0.6, strong=0.9), 3)
    0.667
    """
    return (quality - weak) / (strong - weak) if strong > weak else None


def _is_under(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or under the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])
