"""What a replay comes to, in sentences: each with its interval, and nothing without a cost."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.replay.report.figures import Report
from emafusion.replay.report.tables import percent, points, share_of
from emafusion.replay.summary import FEWEST_PAIRS, Budget


def sentences(report: Report) -> Iterator[str]:
    """The lines on top of the page."""
    summary = report.summary
    if not summary.scored:
        yield "None of these answers has a score: there are decisions, but no accuracy."
        return
    if summary.scored < FEWEST_PAIRS:
        yield (
            f"Cannot tell: {summary.scored:,} scored queries; below {FEWEST_PAIRS} nothing here is "
            "worth a claim."
        )
    best = next(iter(summary.baselines), None)
    if best is not None and best.accuracy is not None:
        yield f"Compared with {best.name} ({best.role}): {percent(best.accuracy, 2)}."
    yield from _money(report)


def _money(report: Report) -> Iterator[str]:
    summary = report.summary
    if all(point.cost_usd is None for point in summary.points):
        yield "No cost is known: accuracy alone can be compared."
        return
    share = summary.equal_share
    if share:
        yield f"Equal accuracy at 1/{1 / share:.1f} of its price."
    elif share is None:
        yield "Its accuracy is not reached at any setting."
    yield from (_at(each) for each in summary.budgets if each.over_best is not None)


def _at(budget: Budget) -> str:
    mix = "" if budget.mix is None else f"; a random mix of two models: {percent(budget.mix, 2)}"
    return (
        f"At {share_of(budget.share)}: {percent(budget.accuracy, 2)}, "
        f"{points(budget.over_best)} points over it{mix}."
    )
