"""Who answers as the dial turns: shares of the models at each setting."""

from __future__ import annotations

from math import inf

from emafusion.replay.report.colours import MODELS, OTHERS, PAPER
from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import named, percent
from emafusion.replay.report.pictures.values import TOLD, Spec, Value, choice, rows, tell
from emafusion.replay.summary import Point

NOBODY = "none"
"""How a summary calls queries that nobody answered."""

LEAST = 5e-4
"""Share below which nothing is drawn."""


def shares(report: Report, *, width: int) -> Spec | None:
    """A bar of shares for each setting, the dearest model on top; those used least are one."""
    settings = report.summary.points
    if not settings or len(report.models) < 2:
        return None
    kept = _kept(report)
    labels = [*(named(name, 30) for name in kept), _rest(len(most_used(report)) - len(kept))]
    data: list[Value] = []
    used: set[int] = set()
    for nth, point in enumerate(settings):
        for place, share in _parts(point, kept):
            used.add(place)
            data.append(_row((nth, point), place=place, share=share, label=labels[place]))
    colours = [*MODELS[: len(kept)], OTHERS]
    order = sorted(used, reverse=True)
    return {
        "width": width,
        "height": 220,
        "data": rows(data),
        "mark": {"type": "bar", "stroke": PAPER, "strokeWidth": 1},
        "encoding": {
            **_axes([f"{point.quality_weight:g}" for point in settings]),
            "order": {"field": "place", "type": "quantitative"},
            "color": {
                "field": "place", "type": "ordinal", "title": None,
                "scale": {"domain": order, "range": [colours[place] for place in order]},
                "legend": _legend(labels, is_narrow=width < 500),
            },
            **TOLD,
        },
    }  # fmt: skip


def most_used(report: Report) -> list[str]:
    """Models by what they answered over all settings, those that never did left out."""
    total: dict[str, float] = {}
    for point in report.summary.points:
        for name, share in point.models.items():
            if name != NOBODY:
                total[name] = total.get(name, 0.0) + share
    return sorted(total, key=lambda name: (-total[name], name))


def _kept(report: Report) -> list[str]:
    """The models that are shown by name, from the cheapest to the dearest, then of unknown cost."""
    costs = {each.name: each.cost_usd for each in report.models if each.cost_usd is not None}
    return sorted(most_used(report)[: len(MODELS)], key=lambda name: costs.get(name, inf))


def _parts(point: Point, kept: list[str]) -> list[tuple[int, float]]:
    """Place and share of each part of a bar; what is left comes last."""
    named_parts = [point.models.get(name, 0.0) for name in kept]
    whole = [*named_parts, 1 - sum(named_parts)]
    return [(place, share) for place, share in enumerate(whole) if share > LEAST]


def _row(setting: tuple[int, Point], *, place: int, share: float, label: str) -> Value:
    nth, point = setting
    return {
        "setting": nth,
        "place": place,
        "share": share,
        "told": tell(
            f"quality_weight {point.quality_weight:g}", label, f"{percent(share)} of the answers"
        ),
    }


def _axes(weights: list[str]) -> Spec:
    return {
        "x": {
            "field": "setting", "type": "ordinal", "title": "quality_weight",
            "axis": {"labelAngle": 0, "labelExpr": choice(weights), "labelOverlap": "greedy",
                     "labelSeparation": 5},
            "scale": {"paddingInner": 0.08, "paddingOuter": 0.04},
        },
        "y": {
            "field": "share", "type": "quantitative", "title": "share of the answers",
            "axis": {"format": ".0%", "tickCount": 5},
            "scale": {"domain": [0, 1], "nice": False},
        },
    }  # fmt: skip


def _rest(models: int) -> str:
    """What the part is called that is left over.

    >>> _rest(1), _rest(6), _rest(0)
    ('1 more model', '6 more models', 'no answer')
    """
    if models <= 0:
        return "no answer"
    return f"{models} more model{'' if models == 1 else 's'}"


def _legend(labels: list[str], *, is_narrow: bool) -> Value:
    return {
        "labelExpr": choice(labels),
        "orient": "bottom" if is_narrow else "right",
        "direction": "vertical",
        "symbolType": "square",
        "symbolOpacity": 1,
        "symbolStrokeWidth": 0,
        "labelLimit": 240,
    }
