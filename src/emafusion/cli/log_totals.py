"""What logged requests come to, as a person reads it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emafusion.cli.log_list import signed_dollars
from emafusion.cli.log_margin import show_line
from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
from emafusion.replay.guarantee.logged import FEWEST, Quality
from emafusion.store.totals import Share, Totals


def show_totals(console: Console, totals: Totals, quality: Quality) -> None:
    """Print sums, then the shares of candidates and routes."""
    for name, told in _lines(totals):
        show_line(console, name, told)
    if quality.labels:
        show_line(console, "quality", _quality(quality))
    for title, shares in (("model", totals.candidates), ("route", totals.routes)):
        if shares:
            console.print("")
            console.print(_shares(title, shares))


def _lines(totals: Totals) -> list[tuple[str, str]]:
    lines = [
        (
            "requests",
            f"{totals.requests:,}, {totals.escalated:,} escalated, {totals.failed:,} failed",
        ),
        ("cost", _cost(totals)),
        ("saved", _saved(totals)),
        ("confidence", _figure(totals.mean_confidence, ".2f") + " on average"),
        ("latency", f"{_span(totals.latency_p50_s, totals.latency_p95_s, '.2f')} s"),
        ("overhead", f"{_span(totals.overhead_p50_ms, totals.overhead_p95_ms, '.1f')} ms of ours"),
    ]
    return lines if totals.requests else lines[:1]


def _quality(quality: Quality) -> str:
    """Mean score of all answers, by few labels and every confidence."""
    labels = f"{quality.labels:,} drawn labels"
    if quality.mean is None or quality.low is None or quality.high is None:
        return f"unknown: {labels}, {FEWEST} are the least (emafusion label)"
    mean = f"{quality.mean:.2f} ({quality.low:.2f} to {quality.high:.2f})"
    return f"{mean}, by {labels} and the confidence of {quality.answers:,} answers"


def _cost(totals: Totals) -> str:
    known = dollars(totals.cost_usd)
    return f"{known}, and {totals.unpriced:,} of unknown cost" if totals.unpriced else known


def _saved(totals: Totals) -> str:
    """The difference to the best single model, and over how many requests it is known."""
    if totals.saved_usd is None or totals.baseline_usd is None:
        return "unknown"
    part = f" ({totals.saved_usd / totals.baseline_usd:.0%})" if totals.baseline_usd else ""
    against = f"against {dollars(totals.baseline_usd)} by the best single model"
    all_of_them = totals.compared == totals.requests
    over = "" if all_of_them else f", over {totals.compared:,} requests where both are known"
    return f"{signed_dollars(totals.saved_usd)}{part} {against}{over}"


def _span(p50: float | None, p95: float | None, form: str) -> str:
    return f"p50 {_figure(p50, form)}, p95 {_figure(p95, form)}"


def _figure(value: float | None, form: str) -> str:
    return "unknown" if value is None else format(value, form)


def _shares(title: str, shares: tuple[Share, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(title, max_width=32, no_wrap=True, overflow="ellipsis")
    for name in ("requests", "share", "cost", "confidence"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in shares:
        table.add_row(
            Text("(no single model)" if each.name == "-" else one_line(each.name)),
            f"{each.requests:,}",
            f"{each.share:.0%}",
            dollars(each.cost_usd),
            _figure(each.mean_confidence, ".2f"),
        )
    return table
