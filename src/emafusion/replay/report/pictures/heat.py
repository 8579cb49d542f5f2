"""Who is good at what: mean score of each model in each class, and who was chosen there."""

from __future__ import annotations

from math import ceil, floor

from emafusion.replay.report.colours import DARK_TEXT, FRAME, LIGHT_TEXT
from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import named, percent, span, without_common
from emafusion.replay.report.pictures.values import TOLD, Spec, Value, choice, rows, silent, tell

MOST_MODELS, MOST_KINDS = 24, 24
"""Rows and columns; the table below the picture has all."""

FEW_CHOICES = 0.05
"""Share of a class from which on a model's cell is framed."""

TURN = 0.46
"""Part of the colours from which on dark figures are easier to read than light ones."""

WIDE, HIGH = 38, 22
"""Points of a cell."""


def heat(report: Report) -> Spec | None:
    """The map: models that were chosen most on top, the largest classes first."""
    models = [model.name for model in report.models[:MOST_MODELS]]
    kinds = kinds_of(report)[:MOST_KINDS]
    cells = _cells(report, models, kinds)
    if not cells or len(models) < 2:
        return None
    place: Spec = {
        "x": {"field": "kind", "type": "nominal", "sort": list(range(len(kinds))), "title": None,
              "axis": _axis([named(kind, 22) for kind in without_common(kinds)], angle=-40)},
        "y": {"field": "model", "type": "nominal", "sort": list(range(len(models))), "title": None,
              "axis": _axis([named(model) for model in models], angle=0)},
    }  # fmt: skip
    colour: Spec = {"color": {
        "field": "score", "type": "quantitative", "title": "mean score",
        "scale": {"scheme": "cividis", "domain": list(_range(report)), "nice": False},
        "legend": {"format": ".0%", "gradientLength": 120},
    }}  # fmt: skip
    frame: Spec = {
        "type": "rect", "filled": False, "stroke": FRAME, "xOffset": 1, "x2Offset": -1,
        "yOffset": 1, "y2Offset": -1,
    }  # fmt: skip
    often: Spec = {"strokeWidth": {
        "field": "chosen", "type": "quantitative",
        "scale": {"domain": [0, 1], "range": [1.5, 5]}, "legend": None,
    }}  # fmt: skip
    chosen = f"datum.chosen >= {FEW_CHOICES}"
    return {
        "width": {"step": WIDE},
        "height": {"step": HIGH},
        "data": rows(cells),
        "layer": [
            {"mark": {"type": "rect"}, "encoding": {**place, **colour, **TOLD}},
            {"mark": silent(frame), "encoding": {**place, **often},
             "transform": [{"filter": chosen}]},
            *(_figures(place, ink) for ink in (DARK_TEXT, LIGHT_TEXT)),
        ],
    }  # fmt: skip


def _figures(place: Spec, ink: str) -> Spec:
    """The figures of those cells that they can be read on in this ink."""
    return {
        "mark": silent({"type": "text", "fontSize": 10, "color": ink}),
        "encoding": {**place, "text": {"field": "label"}},
        "transform": [{"filter": {"field": "ink", "equal": ink}}],
    }


def kinds_of(report: Report) -> list[str]:
    """Classes, those with the most answers first."""
    sizes: dict[str, int] = {}
    for cell in report.cells:
        sizes[cell.kind] = max(sizes.get(cell.kind, 0), cell.answers)
    return sorted(sizes, key=lambda kind: (-sizes[kind], kind))


def _cells(report: Report, models: list[str], kinds: list[str]) -> list[Value]:
    rows_of, columns = _places(models), _places(kinds)
    low, high = _range(report)
    turn = low + TURN * (high - low)
    return [
        {
            "model": rows_of[cell.model],
            "kind": columns[cell.kind],
            "score": cell.score.mean,
            "chosen": cell.chosen,
            "label": f"{100 * cell.score.mean:.0f}",
            "ink": DARK_TEXT if cell.score.mean > turn else LIGHT_TEXT,
            "told": tell(
                cell.model,
                named(cell.kind, 60),
                f"{percent(cell.score.mean)} right ({span(cell.score)})",
                f"{cell.answers:,} answers",
                f"gave {percent(cell.chosen)} of the answers here",
            ),
        }
        for cell in report.cells
        if cell.model in rows_of and cell.kind in columns and cell.score is not None
    ]


def _range(report: Report) -> tuple[float, float]:
    """Scores that the colours span, in whole tenths."""
    scores = [cell.score.mean for cell in report.cells if cell.score is not None]
    low = floor(10 * min(scores, default=0.0)) / 10
    return low, max(ceil(10 * max(scores, default=1.0)) / 10, low + 0.1)


def _places(names: list[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _axis(names: list[str], *, angle: int) -> Value:
    """An axis that shows names for places: no name is ever part of an expression."""
    return {"labelAngle": angle, "labelLimit": 230, "labelExpr": choice(names), "domain": False,
            "ticks": False, "labelPadding": 5, "labelFontSize": 11}  # fmt: skip
