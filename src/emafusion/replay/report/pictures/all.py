"""Every picture of a report, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emafusion.replay.report.figures import Report
from emafusion.replay.report.pictures.curve import curve
from emafusion.replay.report.pictures.frame import has_scales
from emafusion.replay.report.pictures.groups import groups
from emafusion.replay.report.pictures.heat import heat
from emafusion.replay.report.pictures.reliability import reliability
from emafusion.replay.report.pictures.shares import shares
from emafusion.replay.report.pictures.values import Spec

WIDE, NARROW = 840, 285
"""Points of a picture on a desk, and on a telephone."""

Drawn = Callable[[Report, int], Spec | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture.

    `drawn`: makes it for a width, None where there is nothing to show; `is_fluid`: whether a
    telephone gets one of its own.
    """

    name: str
    drawn: Drawn
    is_fluid: bool = True


PICTURES = (
    Picture(name="curve", drawn=lambda report, width: curve(report, width=width, is_log=True)),
    Picture(
        name="curve-linear",
        drawn=lambda report, width: (
            curve(report, width=width, is_log=False) if has_scales(report) else None
        ),
    ),
    Picture(name="shares", drawn=lambda report, width: shares(report, width=width)),
    Picture(
        name="reliability",
        drawn=lambda report, width: reliability(report, width=width),
        is_fluid=False,
    ),
    Picture(name="datasets", drawn=lambda report, width: groups(report, "dataset", width=width)),
    Picture(name="tasks", drawn=lambda report, width: groups(report, "task", width=width)),
    Picture(name="heat", drawn=lambda report, _width: heat(report), is_fluid=False),
)


def specs(report: Report, *, width: int = WIDE) -> Mapping[str, Spec]:
    """Every picture that there is something to draw for, by name."""
    drawn = {picture.name: picture.drawn(report, _room(picture, width)) for picture in PICTURES}
    return {name: spec for name, spec in drawn.items() if spec is not None}


def _room(picture: Picture, width: int) -> int:
    """Points of the plot itself: names and legends take theirs beside it."""
    if picture.name in {"datasets", "tasks"}:
        return width - 240 if width > 400 else width - 130
    return width - 210 if picture.name == "shares" and width > 400 else width


FLUID = frozenset(picture.name for picture in PICTURES if picture.is_fluid)
