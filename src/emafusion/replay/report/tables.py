"""The table behind each picture: rows of text, unknown as a dash, no column of dashes alone."""

from __future__ import annotations

from msgspec import Struct

from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import (
    UNKNOWN,
    named,
    number,
    percent,
    points,
    share_of,
    short,
    span,
    thousand,
)
from emafusion.replay.report.pictures.shares import NOBODY, most_used
from emafusion.replay.summary import Point


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
        "budgets": budgets(report),
        "baselines": baselines(report),
        "curves": curves(report),
        "answers": answers(report),
        "routes": routes(report),
        "reliability": reliability(report),
        "groups": groups(report),
        "models": models(report),
        "cells": cells(report),
    }
    return {name: _without_unknown(table) for name, table in made.items() if table.rows}


def _without_unknown(table: Table) -> Table:
    """The table without columns in which nothing is known."""
    columns = range(len(table.columns))
    kept = [c for c in columns if c < table.words or any(row[c] != UNKNOWN for row in table.rows)]
    return Table(
        title=table.title,
        columns=tuple(table.columns[c] for c in kept),
        rows=tuple(tuple(row[c] for c in kept) for row in table.rows),
        words=table.words,
    )


def dial(report: Report) -> Table:
    """One row a setting."""
    return Table(
        title="Every setting of the dial",
        columns=("quality_weight", "accuracy", "95 %", "$ per 1,000", "calls a query",
                 "points over best single (95 %)", "points over random mix (95 %)",
                 "share of the dearest model", "seconds, median", "seconds, 95 of 100", "Brier",
                 "ECE", "points short of the oracle", "points short of model per task",
                 "gap recovered"),
        rows=tuple(_setting(point) for point in report.summary.points),
        words=0,
    )  # fmt: skip


def _setting(p: Point) -> tuple[str, ...]:
    return (
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
        short(p.regret),
        short(p.regret_task),
        number(p.recovered),
    )


def budgets(report: Report) -> Table:
    """What is reached at parts of the best single model's cost B."""
    return Table(
        title="At equal cost",
        columns=("cost", "accuracy", "points over best single (95 %)", "random mix of two models"),
        rows=tuple(
            (share_of(each.share), percent(each.accuracy, 2), points(each.over_best),
             percent(each.mix, 2))
            for each in report.summary.budgets
            if each.accuracy is not None
        ),
    )  # fmt: skip


def baselines(report: Report) -> Table:
    """What the dial is compared with."""
    return Table(
        title="Baselines",
        columns=("baseline", "model", "accuracy", "95 %", "$ per 1,000"),
        rows=tuple(
            (each.role, named(each.name, 200), percent(each.accuracy, 2), span(each.interval),
             thousand(each.cost_usd))
            for each in report.summary.baselines
        ),
        words=2,
    )  # fmt: skip


def curves(report: Report) -> Table:
    """What stands beside the dial."""
    return Table(
        title="Other curves",
        columns=("curve", "at", "accuracy", "$ per 1,000"),
        rows=tuple(
            (curve.name, mark.name or f"{mark.setting:g}", percent(mark.accuracy, 2),
             thousand(mark.cost_usd))
            for curve in report.curves
            for mark in curve.marks
        ),
        words=2,
    )  # fmt: skip


def answers(report: Report) -> Table:
    """Whose answers were given at each setting."""
    settings = report.summary.points
    nobody = (NOBODY,) if any(NOBODY in point.models for point in settings) else ()
    return Table(
        title="Whose answers were given",
        columns=("model", *(f"at {point.quality_weight:g}" for point in settings)),
        rows=tuple(
            (name, *(percent(point.models.get(name, 0.0)) for point in settings))
            for name in (*most_used(report), *nobody)
        ),
    )


def routes(report: Report) -> Table:
    """Which view decided at each setting."""
    settings = report.summary.points
    names = sorted({name for point in settings for name in point.routes})
    return Table(
        title="Which view decided",
        columns=("route", *(f"at {point.quality_weight:g}" for point in settings)),
        rows=tuple(
            (named(name), *(percent(point.routes.get(name, 0.0)) for point in settings))
            for name in names
        ),
    )


def models(report: Report) -> Table:
    """Every model of the table on its own."""
    return Table(
        title="Every model alone",
        columns=("model", "accuracy alone", "95 %", "scored answers", "$ per 1,000",
                 "answers given"),
        rows=tuple(
            (each.name, percent(None if each.accuracy is None else each.accuracy.mean, 2),
             span(each.accuracy), f"{each.answers:,}", thousand(each.cost_usd),
             percent(each.chosen))
            for each in report.models
        ),
    )  # fmt: skip


def reliability(report: Report) -> Table:
    """Whether confidence means what it says."""
    return Table(
        title="Every bin of confidence",
        columns=("confidence", "mean", "right", "95 %", "answers"),
        rows=tuple(
            (f"{100 * b.low:.0f} to {100 * b.high:.0f} %", percent(b.confidence),
             percent(b.accuracy.mean), span(b.accuracy), f"{b.count:,}")
            for b in report.reliability
        ),
    )  # fmt: skip


def cells(report: Report) -> Table:
    """Every model in every class."""
    return Table(
        title="Every model in every class",
        columns=("class", "model", "accuracy", "95 %", "answers", "answers given here"),
        rows=tuple(
            (named(c.kind, 200), c.model, percent(None if c.score is None else c.score.mean),
             span(c.score), f"{c.answers:,}", percent(c.chosen))
            for c in report.cells
            if c.answers or c.chosen
        ),
        words=2,
    )  # fmt: skip


def groups(report: Report) -> Table:
    """Where it wins and loses."""
    return Table(
        title="Every data set and class",
        columns=("axis", "name", "queries", "accuracy", "best single",
                 "points over it (95 %)"),
        rows=tuple(
            (g.axis, named(g.name, 200), f"{g.queries:,}", percent(g.accuracy),
             percent(g.best_single), points(g.over_best))
            for g in report.summary.groups
        ),
        words=2,
    )  # fmt: skip
