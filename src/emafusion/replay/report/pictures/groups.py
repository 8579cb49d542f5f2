"""Where it wins and loses: the gap to the best single model by data set and class."""

from __future__ import annotations

from emafusion.replay.groups import Group
from emafusion.replay.report.colours import BLUE, GREY
from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import named, percent, points, without_common
from emafusion.replay.report.pictures.values import (
    TOLD,
    Spec,
    Value,
    choice,
    number,
    rows,
    silent,
    tell,
)

MOST = 24
"""Groups of one axis in a picture; the table below it has all."""

FEWEST = 20
"""Queries of a group below which its point would tell nothing."""

TITLES = {"dataset": "By data set", "task": "By class of task"}


def groups(report: Report, axis: str, *, width: int) -> Spec | None:
    """A point with its interval for each group of an axis, the largest groups first."""
    found = [each for each in report.summary.groups if each.axis == axis and each.over_best]
    shown = [each for each in found if each.queries >= FEWEST][:MOST]
    if len(shown) < 2:
        return None
    data: list[Value] = [_row(place, each) for place, each in enumerate(shown)]
    short = without_common([each.name for each in shown])
    sizes = [f"({each.queries:,})" for each in shown]
    names = [f"{named(name, 26)} {size}" for name, size in zip(short, sizes, strict=True)]
    y: Value = {
        "field": "place", "type": "ordinal", "title": None,
        "axis": {"labelExpr": choice(names), "labelLimit": 240, "grid": True},
    }  # fmt: skip
    title = "points of accuracy over the best single model"
    x = number("gap", title, axis={"format": "+~f", "tickCount": 6, "grid": False})
    whisker: Spec = {"type": "rule", "color": BLUE, "strokeWidth": 2, "opacity": 0.7}
    dot: Spec = {"type": "point", "filled": True, "color": BLUE, "size": 65, "opacity": 1}
    nought: Spec = {"type": "rule", "color": GREY, "strokeDash": [4, 4]}
    return {
        "title": {"text": TITLES.get(axis, axis), "fontSize": 12, "fontWeight": "normal"},
        "width": width,
        "height": {"step": 22},
        "data": rows(data),
        "layer": [
            {"data": rows([{"gap": 0}]), "mark": silent(nought), "encoding": {"x": x}},
            {"mark": silent(whisker),
             "encoding": {"x": number("low", title), "x2": {"field": "high"}, "y": y}},
            {"mark": dot, "encoding": {"x": x, "y": y, **TOLD}},
        ],
    }  # fmt: skip


def _row(place: int, each: Group) -> Value:
    gap = each.over_best
    return {
        "place": place,
        "gap": None if gap is None else 100 * gap.mean,
        "low": None if gap is None else 100 * gap.low,
        "high": None if gap is None else 100 * gap.high,
        "told": tell(
            named(each.name, 60),
            f"{points(gap)} points",
            f"{percent(each.accuracy)} right, best single {percent(each.best_single)}",
            f"{each.queries:,} queries",
        ),
    }
