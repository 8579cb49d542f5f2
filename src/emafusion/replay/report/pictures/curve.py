"""Accuracy against cost along the dial, with what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from emafusion.replay.report.colours import BLUE, GREY, INK, ORANGE, PAPER
from emafusion.replay.report.figures import Curve, Report
from emafusion.replay.report.numbers import named, percent, points, span, thousand
from emafusion.replay.report.pictures.frame import Frame, frame_of
from emafusion.replay.report.pictures.labels import Place, Spot, place
from emafusion.replay.report.pictures.values import TOLD, Spec, Value, rows, silent, tell
from emafusion.replay.summary import Point, Single

INKS: Sequence[Spec] = ({"stroke": PAPER, "strokeWidth": 3}, {"color": INK})
"""A name is drawn twice: a halo of paper, then ink."""

STEPS = 16
"""Points of a broken line between two that were measured."""

FITTED = " (fit)"
"""How the role of a baseline ends that was chosen on what was fitted on."""

DASHES: Sequence[Sequence[float]] = ([2, 3], [7, 3], [7, 3, 2, 3], [12, 4])


def curve(report: Report, *, width: int, is_log: bool) -> Spec | None:
    """The picture, or None where nothing is known of cost or accuracy.

    Where no setting has a cost, the dial itself is the axis. `is_log`: of the cost; passed over
    where something is free.
    """
    frame = frame_of(report, width=width, is_log=is_log)
    if frame is None:
        return None
    beside = [] if frame.by_dial else [*_others(report, frame), _models(report, frame)]
    named_points = [] if frame.by_dial else _baselines(report, frame)
    return {
        "width": width,
        "height": frame.height,
        "layer": [*beside, *_dial(report, frame), *named_points],
    }


def _dial(report: Report, frame: Frame) -> list[Spec]:
    """The interval, the line, and a point for each setting."""
    data = rows([_row(p, frame) for p in report.summary.points if frame.at(p) is not None])
    low: Spec = {"x": frame.x(), "y": frame.y("low"), "y2": {"field": "high"}}
    place: Spec = {"x": frame.x(), "y": frame.y()}
    order: Spec = {"order": {"field": "setting", "type": "quantitative"}}
    line: Spec = {"type": "line", "color": BLUE, "strokeWidth": 2.5}
    dot: Spec = {"type": "point", "filled": True, "color": BLUE, "size": 70, "opacity": 1}
    band: Spec = {"type": "area", "color": BLUE, "opacity": 0.16}
    return [
        {"data": data, "mark": silent(band), "encoding": low},
        {"data": data, "mark": silent(line), "encoding": {**place, **order}},
        {"name": "dial", "data": data, "mark": dot, "encoding": {**place, **TOLD}},
    ]


def _row(point: Point, frame: Frame) -> Value:
    accuracy = point.accuracy
    return {
        "setting": point.quality_weight,
        "x": frame.at(point),
        "accuracy": None if accuracy is None else accuracy.mean,
        "low": None if accuracy is None else accuracy.low,
        "high": None if accuracy is None else accuracy.high,
        "told": tell(
            f"quality_weight {point.quality_weight:g}",
            f"{percent(None if accuracy is None else accuracy.mean, 2)} right ({span(accuracy)})",
            "" if point.cost_usd is None else f"${thousand(point.cost_usd)} per 1,000",
            f"{point.calls:.2f} calls a query",
            "" if point.over_best is None else f"{points(point.over_best)} points to best single",
        ),
    }


def _others(report: Report, frame: Frame) -> list[Spec]:
    """A broken line for each other curve, with a dot where something really stands."""
    where: Spec = {"x": frame.x(), "y": frame.y()}
    dot: Spec = {"type": "point", "filled": True, "color": GREY, "size": 14, "opacity": 1}
    layers: list[Spec] = []
    for nth, each in enumerate(reversed(report.curves)):
        line: Spec = {
            "type": "line", "color": GREY, "strokeWidth": 1.5,
            "strokeDash": DASHES[nth % len(DASHES)],
        }  # fmt: skip
        layers += [
            {"data": rows(_path(each, frame)), "mark": silent(line), "encoding": where},
            {"data": rows(_stops(each, frame)), "mark": dot, "encoding": {**where, **TOLD}},
        ]
    return layers


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
        for mark in curve.marks
        if frame.holds(mark.cost_usd)
    ]


def _path(curve: Curve, frame: Frame) -> list[Value]:
    """Draws by lot between neighbours: straight over dollars, so bent over their logarithm."""
    marks = [mark for mark in curve.marks if frame.holds(mark.cost_usd)]
    path: list[Value] = []
    for here, there in pairwise(marks):
        for part in np.linspace(0.0, 1.0, STEPS).tolist():
            usd = here.cost_usd + part * (there.cost_usd - here.cost_usd)
            height = here.accuracy + part * (there.accuracy - here.accuracy)
            path.append({"x": 1000 * usd, "accuracy": height})
    return path


def _models(report: Report, frame: Frame) -> Spec:
    """A ring for each model on its own."""
    data: list[Value] = [
        {
            "x": 1000 * model.cost_usd,
            "accuracy": model.accuracy.mean,
            "told": tell(
                model.name,
                f"{percent(model.accuracy.mean, 2)} right alone ({span(model.accuracy)})",
                f"${thousand(model.cost_usd)} per 1,000",
                f"{percent(model.chosen)} of the answers given",
            ),
        }
        for model in report.models
        if model.cost_usd is not None
        and model.accuracy is not None
        and frame.holds(1000 * model.cost_usd)
    ]
    ring: Spec = {"type": "point", "color": GREY, "size": 40, "strokeWidth": 1.5, "opacity": 1}
    return {
        "data": rows(data),
        "mark": ring,
        "encoding": {"x": frame.x(), "y": frame.y(), **TOLD},
    }


def _baselines(report: Report, frame: Frame) -> list[Spec]:
    """A diamond with its name for each baseline."""
    drawn = [
        (single, 1000 * single.cost_usd, single.accuracy, role)
        for role, single in _merged(report.summary.baselines)
        if single.cost_usd is not None
        and single.accuracy is not None
        and frame.holds(1000 * single.cost_usd)
    ]
    spots = [frame.spot(usd, accuracy, role) for _, usd, accuracy, role in drawn]
    places = place(spots, _taken(report, frame), width=frame.width)
    data: list[Value] = [
        {
            "x": usd,
            "accuracy": accuracy,
            "role": role,
            "told": tell(
                single.role,
                named(single.name, 60),
                f"{percent(accuracy, 2)} right ({span(single.interval)})",
                f"${thousand(single.cost_usd)} per 1,000",
            ),
        }
        for single, usd, accuracy, role in drawn
    ]
    diamond: Spec = {
        "type": "point", "shape": "diamond", "filled": True, "color": ORANGE, "size": 110,
        "opacity": 1,
    }  # fmt: skip
    names = [
        _name(spot, where, colour=colour)
        for spot, where in zip(spots, places, strict=True)
        for colour in INKS
    ]
    marks: Spec = {
        "data": rows(data),
        "mark": diamond,
        "encoding": {"x": frame.x(), "y": frame.y(), **TOLD},
    }
    return [marks, *names]


def _name(spot: Spot, where: Place, *, colour: Spec) -> Spec:
    """The name of a point. `colour`: one of `INKS`."""
    return {
        "data": rows([{"text": spot.text}]),
        "mark": silent({"type": "text", "align": where.align, "baseline": "middle", **colour}),
        "encoding": {
            "x": {"value": where.x},
            "y": {"value": where.y},
            "text": {"field": "text"},
        },
    }


def _merged(baselines: Sequence[Single]) -> list[tuple[str, Single]]:
    """Baselines by role; where the fit chose one, that one alone stands for its role."""
    kept: dict[str, Single] = {}
    for single in sorted(baselines, key=lambda each: not each.role.endswith(FITTED)):
        kept.setdefault(single.role.removesuffix(FITTED), single)
    return list(kept.items())


def _taken(report: Report, frame: Frame) -> list[Spot]:
    """Where settings and models stand: names had better not cover them."""
    found = [(frame.at(point), point.accuracy) for point in report.summary.points]
    alone = [
        (None if each.cost_usd is None else 1000 * each.cost_usd, each.accuracy)
        for each in report.models
    ]
    return [
        frame.spot(x, y.mean, "")
        for x, y in (*found, *alone)
        if x is not None and y is not None and frame.holds(x)
    ]
