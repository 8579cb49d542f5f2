"""Other curves beside the dial: random mixes of single models, and other policies."""

from __future__ import annotations

from emafusion.replay.report.colours import CURVES, GREY
from emafusion.replay.report.figures import MIX, Curve, Mark, Report
from emafusion.replay.report.numbers import named, percent, thousand
from emafusion.replay.report.pictures.frame import Frame
from emafusion.replay.report.pictures.labels import Spot
from emafusion.replay.report.pictures.path import between
from emafusion.replay.report.pictures.values import TOLD, Spec, Value, rows, silent, tell

DOTS = (2, 3)
DASHES = ((7, 3), (7, 3, 2, 3), (12, 4))
"""Of the lines beside the dial: by lot, and of other policies."""


def beside(report: Report, frame: Frame) -> list[Spec]:
    """A broken line for each curve, with a dot where something really stands."""
    where: Spec = {"x": frame.x(), "y": frame.y()}
    layers: list[Spec] = []
    for nth, each in enumerate(report.curves):
        is_mix = each.name == MIX
        colour = GREY if is_mix else CURVES[nth % len(CURVES)]
        dash = DOTS if is_mix else DASHES[nth % len(DASHES)]
        line: Spec = {"type": "line", "color": colour, "strokeWidth": 1.6, "strokeDash": dash}
        dot: Spec = {"type": "point", "filled": True, "color": colour, "size": 22, "opacity": 1}
        order: Spec = {"order": {"field": "nth", "type": "quantitative"}}
        path, stops = rows(_path(each, frame)), rows(_stops(each, frame))
        layers += [
            {"data": path, "mark": silent(line), "encoding": {**where, **order}},
            {"data": stops, "mark": dot, "encoding": {**where, **TOLD}},
        ]
    return layers


def ends(report: Report, frame: Frame) -> list[Spot]:
    """Where the names of the curves go: at their dearest settings; the mix has none."""
    return [
        frame.spot(1000 * last.cost_usd, last.accuracy, named(each.name, 24))
        for each in report.curves
        for last in _held(each, frame)[-1:]
        if each.name != MIX
    ]


def _held(curve: Curve, frame: Frame) -> list[Mark]:
    return [mark for mark in curve.marks if frame.holds(mark.cost_usd)]


def _path(curve: Curve, frame: Frame) -> list[Value]:
    corners = [(1000 * mark.cost_usd, mark.accuracy) for mark in _held(curve, frame)]
    path = between(corners, is_log=frame.is_log)
    return [{"x": x, "accuracy": y, "nth": nth} for nth, (x, y) in enumerate(path)]


def _stops(curve: Curve, frame: Frame) -> list[Value]:
    return [
        {
            "x": 1000 * mark.cost_usd,
            "accuracy": mark.accuracy,
            "told": tell(
                curve.name,
                mark.name or f"quality_weight {mark.setting:g}",
                f"{percent(mark.accuracy, 2)} right",
                f"${thousand(mark.cost_usd)} per 1,000",
            ),
        }
        for mark in _held(curve, frame)
    ]
