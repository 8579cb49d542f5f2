"""What a replay comes to, in words: each figure with its interval, and nothing without a cost."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from emafusion.replay.metrics.bootstrap import Interval
from emafusion.replay.report.collect import compared_with
from emafusion.replay.report.figures import Report
from emafusion.replay.report.limits import unpriced
from emafusion.replay.report.numbers import gap_span, part_of, percent, span, thousand
from emafusion.replay.summary import FEWEST_PAIRS, Budget, Point, Single

PRICES = {
    1.0: "at the same price",
    1 / 4: "at a quarter of the price",
    1 / 8: "at an eighth of the price",
}


class Tile(Struct, frozen=True, kw_only=True):
    """A figure on top of the page: the figure, what it is of, and how sure it is."""

    figure: str
    label: str
    detail: str


def verdict(report: Report) -> Iterator[str]:
    """The lines on top of the page."""
    summary = report.summary
    if not summary.scored:
        yield "No answer here has a score: there are decisions, but no accuracy."
        return
    if summary.scored < FEWEST_PAIRS:
        yield (
            f"Cannot tell: {summary.scored:,} scored queries; below {FEWEST_PAIRS} nothing here is "
            "worth a claim."
        )
    best = compared_with(summary)
    if best is not None and best.accuracy is not None:
        usd = "" if best.cost_usd is None else f" and ${thousand(best.cost_usd)} per 1,000 queries"
        yield (
            f"Compared with {_asked(report, best)}: "
            f"{percent(best.accuracy, 1)} right ({span(best.interval)}){usd}."
        )
    if all(point.cost_usd is None for point in summary.points):
        yield f"{unpriced(report)}: accuracy alone can be compared."


def _asked(report: Report, best: Single) -> str:
    """What everything is compared with; where not all were asked everything, there are several."""
    if best.name in {model.name for model in report.models}:
        return f"always asking {best.name}, the best single model"
    return f"the best single model of those that were asked ({best.name})"


def tiles(report: Report) -> Iterator[Tile]:
    """The figures on top of the page, those that are known."""
    summary = report.summary
    if not summary.scored or summary.scored < FEWEST_PAIRS:
        return
    if all(point.cost_usd is None for point in summary.points):
        yield from _last(summary.points[-1])
    for budget in summary.budgets:
        yield from _gain(budget)
    yield from _equal(report)


def _equal(report: Report) -> Iterator[Tile]:
    """The part of the price that buys equal accuracy."""
    summary, best = report.summary, compared_with(report.summary)
    if best is None or best.cost_usd is None or all(p.cost_usd is None for p in summary.points):
        return
    if summary.equal_share is None:
        yield Tile(
            figure="never",
            label="as accurate as the best single model",
            detail="at no setting of the dial",
        )
        return
    bounds = summary.equal_bounds
    if bounds is None:
        detail = ""
    elif bounds.high is None:
        detail = f"95 %: {part_of(bounds.low)} to never"
    else:
        detail = f"95 %: {part_of(bounds.low)} to {part_of(bounds.high)}"
    yield Tile(
        figure=part_of(summary.equal_share), label="of the price for equal accuracy", detail=detail
    )


def _last(point: Point) -> Iterator[Tile]:
    """Points over the best single model at the end of the dial, where nothing has a cost."""
    gap = point.over_best
    if gap is not None:
        yield Tile(
            figure=f"{100 * gap.mean:+.1f} points",
            label=f"at quality_weight {point.quality_weight:g}",
            detail=f"95 %: {gap_span(gap)}{_unsure(gap)}",
        )


def _gain(budget: Budget) -> Iterator[Tile]:
    """Points over the best single model at a part of its price."""
    gap = budget.over_best
    if gap is None:
        return
    told = f"95 %: {gap_span(gap)}{_unsure(gap)}"
    if budget.mix is not None:
        told += (
            f". {percent(budget.accuracy)} right; a random mix of two models {percent(budget.mix)}"
        )
    label = PRICES.get(budget.share, f"at {budget.share:.3g} of the price")
    yield Tile(figure=f"{100 * gap.mean:+.1f} points", label=label, detail=told)


def _unsure(gap: Interval) -> str:
    return " (cannot be told from 0)" if gap.low <= 0.0 <= gap.high else ""
