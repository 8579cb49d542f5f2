"""What the dial is compared with: every model on its own, and the baselines by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emafusion.replay.report.collect import compared_with
from emafusion.replay.report.colours import GREY, ORANGE
from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import named, percent, span, thousand
from emafusion.replay.report.pictures.frame import Frame
from emafusion.replay.report.pictures.labels import Spot, names
from emafusion.replay.report.pictures.values import TOLD, Spec, Value, rows, tell
from emafusion.replay.summary import Single

FITTED = " (fit)"
"""How the role of a baseline ends that was chosen on what was fitted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Diamond:
    """A baseline that has a place: dollars per 1,000 queries, accuracy."""

    role: str
    single: Single
    x: float
    accuracy: float


def models(report: Report, frame: Frame) -> Spec:
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


def baselines(report: Report, frame: Frame) -> Spec:
    """A diamond for each baseline."""
    data: list[Value] = [
        {
            "x": each.x,
            "accuracy": each.accuracy,
            "told": tell(
                each.single.role,
                named(each.single.name, 60),
                f"{percent(each.accuracy, 2)} right ({span(each.single.interval)})",
                f"${thousand(each.single.cost_usd)} per 1,000",
            ),
        }
        for each in _diamonds(report, frame)
    ]
    diamond: Spec = {
        "type": "point", "shape": "diamond", "filled": True, "color": ORANGE, "size": 110,
        "opacity": 1,
    }  # fmt: skip
    return {
        "data": rows(data),
        "mark": diamond,
        "encoding": {"x": frame.x(), "y": frame.y(), **TOLD},
    }


def level(report: Report, frame: Frame) -> list[Spec]:
    """The best single model's accuracy as a line across, where nothing has a cost."""
    best = compared_with(report.summary)
    if best is None or best.accuracy is None:
        return []
    line: Spec = {"type": "rule", "color": ORANGE, "strokeDash": [7, 3], "strokeWidth": 1.6}
    told = tell(best.role, named(best.name, 60),
                f"{percent(best.accuracy, 2)} right ({span(best.interval)})")  # fmt: skip
    here: Value = {"accuracy": best.accuracy, "told": told}
    spot = frame.spot(frame.x_range[0], best.accuracy, "best single")
    across: Spec = {"data": rows([here]), "mark": line, "encoding": {"y": frame.y(), **TOLD}}
    return [across, *names([spot], [], width=frame.width)]


def named_spots(report: Report, frame: Frame) -> list[Spot]:
    """Where the baselines stand, with their names."""
    return [frame.spot(each.x, each.accuracy, each.role) for each in _diamonds(report, frame)]


def _diamonds(report: Report, frame: Frame) -> list[_Diamond]:
    return [
        _Diamond(role=role, single=single, x=1000 * single.cost_usd, accuracy=single.accuracy)
        for role, single in _merged(report.summary.baselines)
        if single.cost_usd is not None
        and single.accuracy is not None
        and frame.holds(1000 * single.cost_usd)
    ]


def _merged(baselines: Sequence[Single]) -> list[tuple[str, Single]]:
    """Baselines by role; where the fit chose one, that one alone stands for its role."""
    kept: dict[str, Single] = {}
    for single in sorted(baselines, key=lambda each: not each.role.endswith(FITTED)):
        kept.setdefault(single.role.removesuffix(FITTED), single)
    return list(kept.items())
