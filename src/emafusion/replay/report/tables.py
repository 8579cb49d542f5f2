"""The table behind each picture: headings and rows of text, unknown as a dash."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from emafusion.replay.metrics.bootstrap import Interval
from emafusion.replay.report.figures import Report

UNKNOWN = "-"


class Table(Struct, frozen=True, kw_only=True):
    """A table. `words`: how many of its first columns are words, the others are numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


def tables(report: Report) -> dict[str, Table]:
    """Every table by name, those without a row left out."""
    made = {
        "dial": dial(report),
        "baselines": baselines(report),
        "budgets": budgets(report),
        "models": models(report),
        "reliability": reliability(report),
        "cells": cells(report),
        "groups": groups(report),
    }
    return {name: table for name, table in made.items() if table.rows}


def dial(report: Report) -> Table:
    """One row a setting."""
    return Table(
        title="The dial",
        columns=("quality_weight", "accuracy", "95 %", "$ per 1,000", "calls", "vs best single",
                 "vs random mix", "share of dearest", "seconds p50", "p95", "Brier", "ECE",
                 "regret"),
        rows=tuple(
            (
                f"{p.quality_weight:g}",
                percent(None if p.accuracy is None else p.accuracy.mean, 2),
                span(p.accuracy),
                thousand(p.cost_usd),
                f"{p.calls:.2f}",
                points(p.over_best),
                points(p.over_mix),
                percent(p.dearest),
                number(p.latency_p50_s),
                number(p.latency_p95_s),
                number(p.brier, 3),
                number(p.calibration_error, 3),
                percent(p.regret, 2),
            )
            for p in report.summary.points
        ),
        words=0,
    )  # fmt: skip


def baselines(report: Report) -> Table:
    """What the dial is compared with."""
    return Table(
        title="Baselines",
        columns=("baseline", "model", "accuracy", "$ per 1,000"),
        rows=tuple(
            (each.role, each.name, percent(each.accuracy, 2), thousand(each.cost_usd))
            for each in report.summary.baselines
        ),
        words=2,
    )


def budgets(report: Report) -> Table:
    """What is reached at parts of the best single model's cost B."""
    return Table(
        title="At equal cost",
        columns=("cost", "accuracy", "points over best single", "random mix of two models"),
        rows=tuple(
            (share_of(each.share), percent(each.accuracy, 2), points(each.over_best),
             percent(each.mix, 2))
            for each in report.summary.budgets
        ),
    )  # fmt: skip


def models(report: Report) -> Table:
    """Every model of the table on its own."""
    return Table(
        title="Models",
        columns=("model", "accuracy alone", "$ per 1,000", "share of answers given"),
        rows=tuple(
            (each.name, percent(each.score, 2), thousand(each.cost_usd), percent(each.chosen))
            for each in report.models
        ),
    )


def reliability(report: Report) -> Table:
    """Whether confidence means what it says."""
    return Table(
        title="Confidence",
        columns=("confidence", "mean", "right", "answers"),
        rows=tuple(
            (f"{b.low:.1f} to {b.high:.1f}", percent(b.confidence), percent(b.accuracy),
             f"{b.count:,}")
            for b in report.reliability
        ),
    )  # fmt: skip


def cells(report: Report) -> Table:
    """Every model in every class."""
    return Table(
        title="Models by class",
        columns=("class", "model", "mean score", "answers", "share chosen here"),
        rows=tuple(
            (c.kind, c.model, percent(c.score), f"{c.answers:,}", percent(c.chosen))
            for c in report.cells
            if c.answers or c.chosen
        ),
        words=2,
    )


def groups(report: Report) -> Table:
    """Where it wins and loses."""
    return Table(
        title="By data set and class",
        columns=("axis", "name", "queries", "accuracy", "best single", "points over it"),
        rows=tuple(
            (g.axis, g.name, f"{g.queries:,}", percent(g.accuracy), percent(g.best_single),
             points(g.over_best))
            for g in report.summary.groups
        ),
        words=2,
    )  # fmt: skip


def percent(value: float | None, digits: int = 1) -> str:
    """A share.

    >>> percent(0.7213, 2), percent(None)
    ('72.13 %', '-')
    """
    return UNKNOWN if value is None else f"{100 * value:.{digits}f} %"


def points(gap: Interval | None) -> str:
    """A difference in points of accuracy with its interval."""
    if gap is None:
        return UNKNOWN
    return f"{100 * gap.mean:+.2f} ({100 * gap.low:+.2f} to {100 * gap.high:+.2f})"


def span(gap: Interval | None) -> str:
    """An interval of accuracy."""
    return UNKNOWN if gap is None else f"{100 * gap.low:.1f} to {100 * gap.high:.1f} %"


def thousand(cost_usd: float | None) -> str:
    """Dollars for a thousand queries."""
    return UNKNOWN if cost_usd is None else f"{1000 * cost_usd:.3g}"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def share_of(share: float) -> str:
    """A part of the best single model's cost.

    >>> share_of(1.0), share_of(0.25)
    ('B', 'B/4')
    """
    return "B" if share >= 1 else f"B/{1 / share:g}"


def rows_of(table: Table) -> Sequence[Sequence[str]]:
    """Headings and rows together."""
    return (table.columns, *table.rows)
