"""Share that was right against confidence: on the diagonal it means what it says."""

from __future__ import annotations

from emafusion.replay.report.colours import BLUE, GREY
from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import percent, span
from emafusion.replay.report.pictures.values import TOLD, Spec, Value, number, rows, silent, tell


def reliability(report: Report, *, width: int) -> Spec | None:
    """The diagram with an interval for each bin, and how many answers are in it below."""
    if not report.reliability:
        return None
    data: list[Value] = [
        {
            "confidence": each.confidence,
            "right": each.accuracy.mean,
            "low": each.accuracy.low,
            "high": each.accuracy.high,
            "count": each.count,
            "from": each.low,
            "to": each.high,
            "told": tell(
                f"confidence {percent(each.low, 0)} to {percent(each.high, 0)}",
                f"mean {percent(each.confidence)}",
                f"{percent(each.accuracy.mean)} right ({span(each.accuracy)})",
                f"{each.count:,} answers",
            ),
        }
        for each in report.reliability
    ]
    side = min(width, 340)
    return {"vconcat": [_diagram(rows(data), side), _counts(rows(data), side)], "spacing": 14}


def _diagram(data: Value, side: int) -> Spec:
    share: Value = {"domain": [0, 1], "nice": False}
    axis: Value = {"format": ".0%", "tickCount": 5}
    x = number("confidence", None, scale=share, axis={"format": ".0%", "tickCount": 5})
    y = number("right", "share that was right", scale=share, axis=axis)
    ends = rows([{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    diagonal: Spec = {"type": "line", "color": GREY, "strokeDash": [4, 4]}
    whisker: Spec = {"type": "rule", "color": BLUE, "strokeWidth": 1.5, "opacity": 0.75}
    line: Spec = {"type": "line", "color": BLUE, "strokeWidth": 1.5, "opacity": 0.5}
    dot: Spec = {"type": "point", "filled": True, "color": BLUE, "size": 70, "opacity": 1}
    at: Spec = {"x": x, "y": y}
    return {
        "width": side,
        "height": side * 0.8,
        "layer": [
            {"data": ends, "mark": silent(diagonal),
             "encoding": {"x": number("x", None, scale=share), "y": number("y", None)}},
            {"data": data, "mark": silent(line), "encoding": at},
            {"data": data, "mark": silent(whisker),
             "encoding": {"x": x, "y": number("low", None), "y2": {"field": "high"}}},
            {"data": data, "mark": dot, "encoding": {**at, **TOLD}},
        ],
    }  # fmt: skip


def _counts(data: Value, side: int) -> Spec:
    """How many answers there are at each confidence."""
    scale: Value = {"domain": [0, 1], "nice": False}
    axis: Value = {"format": ".0%", "tickCount": 5}
    bar: Spec = {"type": "bar", "color": BLUE, "opacity": 0.55, "binSpacing": 1}
    return {
        "width": side,
        "height": 48,
        "data": data,
        "mark": silent(bar),
        "encoding": {
            "x": {"field": "from", "bin": "binned", "type": "quantitative",
                  "title": "confidence", "scale": scale, "axis": axis},
            "x2": {"field": "to"},
            "y": number("count", "answers", axis={"tickCount": 2, "format": "~s"}),
        },
    }  # fmt: skip
