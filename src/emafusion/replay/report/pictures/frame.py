"""The axes of the cost curve, and where on the screen a point of it lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log, log10

from emafusion.replay.report.collect import compared_with
from emafusion.replay.report.figures import Report
from emafusion.replay.report.pictures.labels import Spot
from emafusion.replay.report.pictures.values import Spec, Value, number
from emafusion.replay.summary import Point

MARGIN = 0.05
"""Share of the range that is left free on each side."""

DIAL = (-0.02, 1.02)
"""The axis where the dial itself is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Axes. `x_range`: dollars per 1,000 queries, or the dial; `y_range`: accuracy."""

    width: int
    height: int
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    is_log: bool
    by_dial: bool

    def at(self, point: Point) -> float | None:
        """Where a setting stands on the axis of cost; None where it or its accuracy is unknown."""
        if point.accuracy is None:
            return None
        if self.by_dial:
            return point.quality_weight
        return None if point.cost_usd is None else 1000 * point.cost_usd

    def holds(self, x: float) -> bool:
        """Whether the axis has a place for it."""
        return x > 0 or not self.is_log

    def x(self) -> Value:
        """Channel of the axis of cost."""
        kind = "log" if self.is_log else "linear"
        scale: Value = {"type": kind, "domain": list(self.x_range), "nice": False, "zero": False}
        if self.by_dial:
            return number("x", "quality_weight", scale=scale, axis={"grid": False, "tickCount": 10})
        ticks: Spec = {"values": _ticks(*self.x_range)} if self.is_log else {"tickCount": 6}
        form = "$~g" if self.is_log else "$~f"  # a linear axis would write ten as 1e+1
        axis: Spec = {"format": form, "grid": False, "labelOverlap": "greedy", **ticks}
        return number("x", "US dollars per 1,000 queries", scale=scale, axis=axis)

    def y(self, field: str = "accuracy") -> Value:
        """Channel of the axis of accuracy."""
        scale: Value = {"domain": list(self.y_range), "nice": False, "zero": False}
        return number(field, "accuracy", scale=scale, axis={"format": ".0%", "tickCount": 6})

    def spot(self, x: float, y: float, text: str) -> Spot:
        """Where a point lies on the screen, with its name."""
        low, high = self.x_range
        across = log(x / low) / log(high / low) if self.is_log else (x - low) / (high - low)
        up = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        return Spot(x=across * self.width, y=(1 - up) * self.height, text=text)


def frame_of(report: Report, *, width: int, is_log: bool) -> Frame | None:
    """Axes that hold every point; None where no setting has an accuracy."""
    settings = report.summary.points
    if not any(point.accuracy for point in settings):
        return None
    height = round(min(400, max(250, width * 0.56)))
    if all(point.cost_usd is None for point in settings):
        best = compared_with(report.summary)
        heights = [*_spreads(report), *([best.accuracy] if best and best.accuracy else [])]
        reach = _wide(heights, is_log=False)
        return Frame(
            width=width, height=height, x_range=DIAL, y_range=reach, is_log=False, by_dial=True
        )
    costs = list(_costs(report))
    can_log = is_log and min(costs) > 0
    return Frame(
        width=width,
        height=height,
        x_range=_wide(costs, is_log=can_log),
        y_range=_wide([*_spreads(report), *_heights(report)], is_log=False),
        is_log=can_log,
        by_dial=False,
    )


def has_scales(report: Report) -> bool:
    """Whether cost can be shown on either scale: something has one, and nothing is free."""
    known = any(point.cost_usd is not None for point in report.summary.points)
    return known and min(_costs(report)) > 0


def _ticks(low: float, high: float) -> list[float]:
    """Ones, twos and fives of each decade of a range, of many decades the ones alone.

    >>> _ticks(0.4, 11)
    [0.5, 1.0, 2.0, 5.0, 10.0]
    """
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    digits = (1, 2, 5) if len(decades) <= 6 else (1,)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    inside = [float(f"{tick:.6g}") for tick in ticks if low <= tick <= high]
    return inside if len(inside) > 1 else [float(f"{low:.2g}"), float(f"{high:.2g}")]


def _costs(report: Report) -> Iterator[float]:
    summary = report.summary
    parts = (summary.points, report.models, summary.baselines)
    yield from (1000 * e.cost_usd for part in parts for e in part if e.cost_usd is not None)
    yield from (1000 * mark.cost_usd for curve in report.curves for mark in curve.marks)


def _spreads(report: Report) -> Iterator[float]:
    """Bounds of the dial's own intervals."""
    spreads = [point.accuracy for point in report.summary.points]
    yield from (bound for each in spreads if each is not None for bound in (each.low, each.high))


def _heights(report: Report) -> Iterator[float]:
    yield from (mark.accuracy for curve in report.curves for mark in curve.marks)
    yield from (model.accuracy.mean for model in report.models if model.accuracy is not None)
    yield from (each.accuracy for each in report.summary.baselines if each.accuracy is not None)


def _wide(values: list[float], *, is_log: bool) -> tuple[float, float]:
    """The range of values with a margin on both sides, never empty."""
    low, high = min(values), max(values)
    if is_log:
        factor = max((high / low) ** MARGIN, 1.05)
        return low / factor, high * factor
    margin = (high - low) * MARGIN or max(abs(high) * MARGIN, 0.01)
    return low - margin, high + margin
