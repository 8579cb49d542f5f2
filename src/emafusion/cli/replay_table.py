"""A replay's summary as a person reads it: the dial, the baselines, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emafusion.cli.printable import printable
from emafusion.cli.screen import PROSE_WIDTH, show
from emafusion.replay.metrics.bootstrap import Interval
from emafusion.replay.summary import FEWEST_PAIRS, Point, Summary

UNKNOWN = "-"


def show_summary(console: Console, summary: Summary, *, by_dataset: bool = False) -> None:
    """Print the dial as a table, then the baselines, then the sentences.

    `by_dataset`: a table of the data sets, too.
    """
    show(console, _dial(summary))
    if summary.baselines:
        console.print("")
        show(console, _baselines(summary))
    if by_dataset:
        console.print("")
        show(console, _datasets(summary))
    console.print("")
    for line in lines(summary):
        show(console, Text(printable(line)), width=PROSE_WIDTH)


def _dial(summary: Summary) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("dial", "accuracy", "95 %", "$/1,000", "calls"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("vs best single", "vs random mix"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in summary.points:
        table.add_row(*_row(point))
    return table


def _row(point: Point) -> tuple[str, ...]:
    accuracy = point.accuracy
    return (
        f"{point.quality_weight:g}",
        UNKNOWN if accuracy is None else f"{accuracy.mean:.2%}",
        UNKNOWN if accuracy is None else f"{accuracy.low:.1%} to {accuracy.high:.1%}",
        thousand(point.cost_usd),
        f"{point.calls:.2f}",
        points(point.over_best),
        points(point.over_mix),
    )


def _baselines(summary: Summary) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("baseline", no_wrap=True)
    table.add_column("accuracy", justify="right")
    table.add_column("$/1,000", justify="right")
    table.add_column("model", overflow="fold")
    for each in summary.baselines:
        accuracy = UNKNOWN if each.accuracy is None else f"{each.accuracy:.2%}"
        table.add_row(each.role, accuracy, thousand(each.cost_usd), printable(each.name))
    return table


def _datasets(summary: Summary) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("data set at B", overflow="fold")
    for name in ("queries", "accuracy", "best single", "vs best single"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in summary.groups:
        if group.axis == "dataset":
            shares = (group.accuracy, group.best_single)
            told = [UNKNOWN if share is None else f"{share:.2%}" for share in shares]
            name = printable(group.name) or "(none)"
            table.add_row(name, f"{group.queries:,}", *told, points(group.over_best))
    return table


def lines(summary: Summary) -> Iterator[str]:
    """The sentences that people want, as far as there is anything to say."""
    if not summary.scored:
        yield f"{summary.queries:,} queries, none with a score: decisions only, no accuracy."
        return
    if summary.scored < FEWEST_PAIRS:
        yield f"cannot tell: {summary.scored:,} scored queries, {FEWEST_PAIRS} are the least."
    if all(each.cost_usd is None for each in summary.baselines):
        yield "No cost is known: accuracy alone can be compared."
    if summary.effective_judges is not None:
        most = max(point.signals for point in summary.points)
        told = f"the measured model judges are worth {summary.effective_judges:.1f} that err apart"
        yield f"Judges asked of a query: up to {most:g} (median of a setting); {told}."
    yield from _equal(summary)
    for budget in summary.budgets:
        if budget.over_best is not None:
            mix = "" if budget.mix is None else f"; a random mix of two models {budget.mix:.2%}"
            yield f"At {_share(budget.share)}: {points(budget.over_best)} points{mix}."


def _equal(summary: Summary) -> Iterator[str]:
    share = summary.equal_share
    if share is None:
        yield "The best single model's accuracy is not reached at any setting."
    elif share > 0:
        yield f"Equal accuracy to the best single model at 1/{1 / share:.1f} of its price."


def _share(share: float) -> str:
    return "the best single model's cost B" if share >= 1 else f"B/{1 / share:g}"


def points(gap: Interval | None) -> str:
    """A difference of accuracies in points, with its interval.

    >>> points(Interval(mean=0.021, low=-0.001, high=0.04))
    '+2.1 (-0.1 to +4.0)'
    """
    if gap is None:
        return UNKNOWN
    return f"{100 * gap.mean:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


def thousand(cost_usd: float | None) -> str:
    """Dollars for a thousand queries, three digits.

    >>> thousand(0.0012345), thousand(None)
    ('1.23', '-')
    """
    if cost_usd is None:
        return UNKNOWN
    usd = 1000 * cost_usd
    return f"{usd:,.0f}" if usd >= 1000 else f"{usd:.3g}"
