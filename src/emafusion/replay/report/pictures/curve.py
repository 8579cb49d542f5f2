"""Accuracy against cost along the dial, with what it is compared with."""

from __future__ import annotations

from emafusion.replay.report.colours import BLUE
from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import percent, points, span, thousand
from emafusion.replay.report.pictures.beside import beside, ends
from emafusion.replay.report.pictures.frame import Frame, frame_of
from emafusion.replay.report.pictures.labels import Spot, names
from emafusion.replay.report.pictures.path import between
from emafusion.replay.report.pictures.singles import baselines, level, models, named_spots
from emafusion.replay.report.pictures.values import TOLD, Spec, Value, rows, silent, tell
from emafusion.replay.summary import Point


def curve(report: Report, *, width: int, is_log: bool) -> Spec | None:
    """The picture, or None where no setting has an accuracy.

    Where no setting has a cost, the dial itself is the axis. `is_log`: of the cost; passed over
    where something is free.
    """
    frame = frame_of(report, width=width, is_log=is_log)
    if frame is None:
        return None
    layers = _dial(report, frame)
    if frame.by_dial:
        layers = [*level(report, frame), *layers]
    else:
        spots = [*named_spots(report, frame), *ends(report, frame)]
        told = names(spots, _taken(report, frame), width=frame.width)
        compared = [*beside(report, frame), models(report, frame)]
        layers = [*compared, *layers, baselines(report, frame), *told]
    return {"width": width, "height": frame.height, "layer": layers}


def _dial(report: Report, frame: Frame) -> list[Spec]:
    """The interval, the line, and a point for each setting."""
    path: list[Value] = [
        {"x": x, "accuracy": mean, "low": low, "high": high, "nth": nth}
        for nth, (x, mean, low, high) in enumerate(_path(report, frame))
    ]
    settings = [_setting(p, frame) for p in report.summary.points if frame.at(p) is not None]
    spread: Spec = {"x": frame.x(), "y": frame.y("low"), "y2": {"field": "high"}}
    place: Spec = {"x": frame.x(), "y": frame.y()}
    order: Spec = {"order": {"field": "nth", "type": "quantitative"}}
    line: Spec = {"type": "line", "color": BLUE, "strokeWidth": 2.5}
    dot: Spec = {"type": "point", "filled": True, "color": BLUE, "size": 70, "opacity": 1}
    band: Spec = {"type": "area", "color": BLUE, "opacity": 0.16}
    return [
        {"data": rows(path), "mark": silent(band), "encoding": spread},
        {"data": rows(path), "mark": silent(line), "encoding": {**place, **order}},
        {"name": "dial", "data": rows(settings), "mark": dot, "encoding": {**place, **TOLD}},
    ]


def _path(report: Report, frame: Frame) -> list[tuple[float, ...]]:
    """Every setting and what lies between: place, accuracy, and the bounds of its interval."""
    found = [_heights(point, frame) for point in report.summary.points]
    return between([each for each in found if each], is_log=frame.is_log)


def _heights(point: Point, frame: Frame) -> tuple[float, ...] | None:
    """Place on the axis of cost, accuracy, and the bounds of its interval."""
    x, accuracy = frame.at(point), point.accuracy
    if x is None or accuracy is None:
        return None
    return x, accuracy.mean, accuracy.low, accuracy.high


def _setting(point: Point, frame: Frame) -> Value:
    accuracy = point.accuracy
    return {
        "x": frame.at(point),
        "accuracy": None if accuracy is None else accuracy.mean,
        "told": tell(
            f"quality_weight {point.quality_weight:g}",
            f"{percent(None if accuracy is None else accuracy.mean, 2)} right ({span(accuracy)})",
            "" if point.cost_usd is None else f"${thousand(point.cost_usd)} per 1,000",
            f"{point.calls:.2f} calls a query",
            "" if point.over_best is None else f"{points(point.over_best)} points over best single",
        ),
    }


def _taken(report: Report, frame: Frame) -> list[Spot]:
    """Where the dial and single models stand: names had better not cover them."""
    path = [each[:2] for each in _path(report, frame)]
    alone = [
        (1000 * each.cost_usd, each.accuracy.mean)
        for each in report.models
        if each.cost_usd is not None and each.accuracy is not None
    ]
    others = [(1000 * m.cost_usd, m.accuracy) for each in report.curves for m in each.marks]
    return [frame.spot(x, y, "") for x, y in (*path, *alone, *others) if frame.holds(x)]
