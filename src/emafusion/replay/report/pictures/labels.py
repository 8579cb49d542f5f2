"""Where the names of points go, so that they neither cover each other nor leave the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emafusion.replay.report.colours import INK, PAPER
from emafusion.replay.report.pictures.values import Spec, rows, silent

LETTER, HEIGHT, GAP = 6.2, 13.0, 8.0
"""Points a letter, a line, and between a point and its name."""

INKS: Sequence[Spec] = ({"stroke": PAPER, "strokeWidth": 3}, {"color": INK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A point in a picture, from its left upper corner, in points of the screen."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the name of a spot begins or ends: `align` is `left` or `right`."""

    x: float
    y: float
    align: str


def place(spots: Sequence[Spot], taken: Sequence[Spot], *, width: float) -> tuple[Place, ...]:
    """A place for the name of each spot, in their order.

    `taken`: spots without a name that are better not covered.

    >>> spots = [Spot(x=10, y=50, text="a"), Spot(x=10, y=50, text="b")]
    >>> [(found.y, found.align) for found in place(spots, [], width=100)]
    [(44.0, 'left'), (60.0, 'left')]
    """
    boxes = [(spot.x - 4, spot.y - 4, spot.x + 4, spot.y + 4) for spot in (*taken, *spots)]
    found: list[Place] = []
    for spot in spots:
        best = min(_choices(spot, width), key=lambda choice: _covered(_box(choice, spot), boxes))
        found.append(best)
        boxes.append(_box(best, spot))
    return tuple(found)


def names(spots: Sequence[Spot], taken: Sequence[Spot], *, width: float) -> list[Spec]:
    """The names of spots as layers of a picture: a halo of paper, then ink."""
    places = zip(spots, place(spots, taken, width=width), strict=True)
    return [_name(spot.text, where, colour) for spot, where in places for colour in INKS]


def _name(text: str, where: Place, colour: Spec) -> Spec:
    mark: Spec = {"type": "text", "align": where.align, "baseline": "middle", **colour}
    at: Spec = {"x": {"value": where.x}, "y": {"value": where.y}, "text": {"field": "text"}}
    return {"data": rows([{"text": text}]), "mark": silent(mark), "encoding": at}


def _choices(spot: Spot, width: float) -> list[Place]:
    """Places beside a spot, the liked ones first, inside the picture."""
    length = len(spot.text) * LETTER + GAP
    sides = [("left", GAP), ("right", -GAP)]
    if spot.x + length > width:
        sides = sides[1:] if spot.x >= length else sides
    elif spot.x < length:
        sides = sides[:1]
    return [
        Place(x=spot.x + dx, y=spot.y + dy, align=align)
        for dy in (-6.0, 10.0, -19.0, 23.0, -32.0, 36.0)
        for align, dx in sides
    ]


def _box(where: Place, spot: Spot) -> tuple[float, float, float, float]:
    length = len(spot.text) * LETTER
    left = where.x if where.align == "left" else where.x - length
    return left, where.y - HEIGHT / 2, left + length, where.y + HEIGHT / 2


def _covered(
    box: tuple[float, float, float, float], boxes: Sequence[tuple[float, float, float, float]]
) -> float:
    """Area of others that a box covers."""
    return sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in boxes
    )
