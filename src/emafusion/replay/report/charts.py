"""Pictures of a report as Vega-Lite specifications: plain values, no code of their own.

Colours are of Okabe and Ito's palette, which all eyes tell apart; nothing is said by red and green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emafusion.replay.report.figures import Report

Value = str | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]
Spec = Mapping[str, Value]

BLUE, ORANGE, GREY, GREEN = "#0072B2", "#D55E00", "#7a7a7a", "#009E73"
MOST_MODELS, MOST_KINDS = 24, 40
"""Rows and columns of the heat map; the table below it has all."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def charts(report: Report) -> dict[str, Spec]:
    """Every picture that can be drawn, by name."""
    drawn = {
        "curve": curve(report),
        "reliability": reliability(report),
        "heat": heat(report),
    }
    return {name: spec for name, spec in drawn.items() if spec is not None}


def curve(report: Report) -> Spec | None:
    """Accuracy against cost along the dial, with its interval, single models and baselines."""
    points: list[Value] = [
        {
            "dial": point.quality_weight,
            "cost": 1000 * point.cost_usd,
            "accuracy": point.accuracy.mean,
            "low": point.accuracy.low,
            "high": point.accuracy.high,
            "calls": point.calls,
        }
        for point in report.summary.points
        if point.accuracy is not None and point.cost_usd
    ]
    if not points:
        return None
    return _spec(
        width=640,
        height=360,
        layer=[_singles(report), _band(points), _dial(points), _baselines(report)],
    )


def reliability(report: Report) -> Spec | None:
    """Share that was right against confidence; on the diagonal it means what it says."""
    bins: list[Value] = [
        {"confidence": b.confidence, "right": b.accuracy, "answers": b.count}
        for b in report.reliability
    ]
    if not bins:
        return None
    domain: Value = {"domain": [0, 1]}
    diagonal: Spec = {
        "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
        "mark": {"type": "line", "color": GREY, "strokeDash": [4, 4]},
        "encoding": {"x": _number("x", "", scale=domain), "y": _number("y", "", scale=domain)},
    }
    dots: Spec = {
        "data": {"values": bins},
        "mark": {"type": "point", "filled": True, "color": BLUE, "opacity": 0.9},
        "encoding": {
            "x": _number("confidence", "confidence", scale=domain, form=".0%"),
            "y": _number("right", "share that was right", scale=domain, form=".0%"),
            "size": {"field": "answers", "type": "quantitative", "title": "answers"},
            "tooltip": [
                _tip("confidence", "confidence", ".1%"),
                _tip("right", "right", ".1%"),
                _tip("answers", "answers", ","),
            ],
        },
    }
    return _spec(width=320, height=320, layer=[diagonal, dots])


def heat(report: Report) -> Spec | None:
    """Mean score of each model in each class; a ring marks how often it was chosen there."""
    models = [model.name for model in report.models[:MOST_MODELS]]
    sizes: dict[str, int] = {}
    for cell in report.cells:
        sizes[cell.kind] = max(sizes.get(cell.kind, 0), cell.answers)
    kinds = sorted(sizes, key=lambda kind: (-sizes[kind], kind))[:MOST_KINDS]
    cells: list[Value] = [
        {
            "model": cell.model,
            "class": cell.kind,
            "score": cell.score,
            "answers": cell.answers,
            "chosen": cell.chosen,
        }
        for cell in report.cells
        if cell.model in set(models) and cell.kind in set(kinds) and cell.score is not None
    ]
    if not cells or len(models) < 2:
        return None
    place: dict[str, Value] = {
        "x": {"field": "class", "type": "nominal", "sort": list(kinds), "title": None,
              "axis": {"labelAngle": -40, "labelLimit": 140}},
        "y": {"field": "model", "type": "nominal", "sort": list(models), "title": None,
              "axis": {"labelLimit": 220}},
        "tooltip": [
            _tip("model", "model"), _tip("class", "class"), _tip("score", "mean score", ".1%"),
            _tip("answers", "answers", ","), _tip("chosen", "share chosen here", ".1%"),
        ],
    }  # fmt: skip
    colour: Value = {
        "field": "score", "type": "quantitative", "title": "mean score",
        "scale": {"scheme": "cividis"}, "legend": {"format": ".0%"},
    }  # fmt: skip
    ring: Value = {
        "field": "chosen", "type": "quantitative", "title": "share chosen",
        "scale": {"domain": [0, 1], "range": [0, 160]},
        "legend": {"format": ".0%", "symbolStrokeColor": GREY},
    }  # fmt: skip
    return _spec(
        width={"step": 26},
        height={"step": 20},
        data={"values": cells},
        layer=[
            {"mark": "rect", "encoding": {**place, "color": colour}},
            {
                "mark": {"type": "point", "color": "white", "strokeWidth": 2},
                "encoding": {**place, "size": ring},
            },
        ],
    )


def _singles(report: Report) -> Spec:
    values: list[Value] = [
        {"model": model.name, "cost": 1000 * model.cost_usd, "accuracy": model.score}
        for model in report.models
        if model.cost_usd and model.score is not None
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "point", "color": GREY, "opacity": 0.7, "size": 36},
        "encoding": {
            **_place(),
            "tooltip": [
                _tip("model", "one model"), _tip("accuracy", "accuracy", ".2%"),
                _tip("cost", "$ per 1,000", ".3~f"),
            ],
        },
    }  # fmt: skip


def _band(points: Sequence[Value]) -> Spec:
    return {
        "data": {"values": points},
        "mark": {"type": "area", "color": BLUE, "opacity": 0.15},
        "encoding": {
            "x": _cost(),
            "y": {"field": "low", "type": "quantitative"},
            "y2": {"field": "high"},
        },
    }


def _dial(points: Sequence[Value]) -> Spec:
    return {
        "data": {"values": points},
        "mark": {
            "type": "line", "color": BLUE, "strokeWidth": 2,
            "point": {"filled": True, "size": 60, "color": BLUE},
        },
        "encoding": {
            **_place(),
            "order": {"field": "dial", "type": "quantitative"},
            "tooltip": [
                _tip("dial", "quality_weight"), _tip("accuracy", "accuracy", ".2%"),
                _tip("low", "95 % from", ".1%"), _tip("high", "to", ".1%"),
                _tip("cost", "$ per 1,000", ".3~f"), _tip("calls", "calls a query", ".2f"),
            ],
        },
    }  # fmt: skip


def _baselines(report: Report) -> Spec:
    values: list[Value] = [
        {
            "role": each.role, "name": each.name,
            "cost": 1000 * each.cost_usd, "accuracy": each.accuracy,
        }
        for each in report.summary.baselines
        if each.cost_usd and each.accuracy is not None
    ]  # fmt: skip
    tip: Value = [
        _tip("role", "baseline"), _tip("name", "model"), _tip("accuracy", "accuracy", ".2%"),
        _tip("cost", "$ per 1,000", ".3~f"),
    ]  # fmt: skip
    return {
        "data": {"values": values},
        "layer": [
            {
                "mark": {
                    "type": "point", "shape": "diamond", "filled": True,
                    "color": ORANGE, "size": 90,
                },
                "encoding": {**_place(), "tooltip": tip},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 8, "dy": -6, "color": ORANGE},
                "encoding": {**_place(), "text": {"field": "role"}},
            },
        ],
    }  # fmt: skip


def _place() -> dict[str, Value]:
    return {
        "x": _cost(),
        "y": _number("accuracy", "accuracy", scale={"zero": False}, form=".0%"),
    }


def _cost() -> Value:
    return _number(
        "cost", "US dollars per 1,000 queries", scale={"type": "log", "nice": False}, form="~g"
    )


def _number(field: str, title: str, *, scale: Value, form: str = "") -> Value:
    axis: Value = {"format": form} if form else {}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def _tip(field: str, title: str, form: str = "") -> Value:
    shown: dict[str, Value] = {"field": field, "title": title}
    return {**shown, "type": "quantitative", "format": form} if form else shown


def _spec(**parts: Value) -> Spec:
    return {"$schema": SCHEMA, "autosize": {"type": "fit", "contains": "padding"}, **parts}
