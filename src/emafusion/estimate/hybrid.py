"""The blend of the taxonomy views, the learned view and the prior.

Quality = sigmoid(slope (ability - difficulty) + shift) + advantage, where the advantage over what
ability alone predicts is a weighted sum of three views: the table by axes, the table by learned
classes, the learned heads. A view's weight is what it earned on queries held out at random, times
familiarity, plus what it earned on families of queries held out whole, times the rest. So on
unfamiliar work the choice slides toward the best model overall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.arrays import AnyArray, Arrays, floats

AXES, CLASSES, LEARNED = 0, 1, 2
"""Places of the views among their weights."""

Mode = Literal["blend", "paper", "taxonomy", "learned"]
EDGE = 0.05
"""Qualities nearer than this to 0 or 1 are bent, so that they keep their order and stay inside."""

PAPER_CERTAIN = 0.6
"""In mode `paper` the taxonomy view decides where the likeliest class has at least this."""


TOLD_WEIGHT = 0.8
"""Least weight of the table by classes where the class is told, in artifacts that do not say."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blend:
    """Weights of the views.

    `familiar`, `novel`, `told`: float64[3], weights of the table by axes, the table by classes and
    the learned view on queries of known families, of others, and where the class is not guessed
    from words but told; `slope`, `shift`: of the logit of ability against difficulty; `spread`:
    float64[2], standard deviation of true advantages around the blend on familiar and on novel
    queries; `centre`: mean difficulty of what was learned from, toward which an unfamiliar query
    slides.
    """

    familiar: Floats
    novel: Floats
    told: Floats
    slope: float
    shift: float
    spread: Floats
    centre: float = 0.0

    @classmethod
    def stated(cls) -> Blend:
        """For use before anything was learned: the prior alone."""
        return cls(
            familiar=np.zeros(3), novel=np.zeros(3), told=np.zeros(3), slope=1.0, shift=0.0,
            spread=np.full(2, 0.1),
        )  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Blend:
        """Read `router/blend` of an artifact."""
        numbers = floats(arrays, "router/blend", (11,))
        told = np.array([0.0, max(numbers[CLASSES], TOLD_WEIGHT), numbers[LEARNED]])
        if "router/blend_told" in arrays:
            told = floats(arrays, "router/blend_told", (3,))
        return cls(
            familiar=numbers[0:3], novel=numbers[3:6],
            told=told, slope=float(numbers[6]),
            shift=float(numbers[7]), spread=numbers[8:10], centre=float(numbers[10]),
        )  # fmt: skip

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        scalars = np.array([self.slope, self.shift])
        parts = (self.familiar, self.novel, scalars, self.spread, np.array([self.centre]))
        return {"router/blend": np.concatenate(parts), "router/blend_told": self.told}


class Views(NamedTuple):
    """What each view says: `ability` float64[n]; the others float64[..., n] advantages."""

    ability: Floats
    axes: Floats
    classes: Floats
    learned: Floats


def sigmoid(logits: Floats) -> Floats:
    """Logistic function, safe for any input."""
    return 1 / (1 + np.exp(np.minimum(np.maximum(-logits, -30), 30)))


def view_weights(blend: Blend, familiarity: Floats, certain: Floats, *, mode: Mode) -> Floats:
    """Weights of the three views: float64[..., 3].

    `familiarity`, `certain` (probability of the likeliest class): float64[...].
    """
    if mode == "blend":
        share = familiarity[..., None]
        return share * blend.familiar + (1 - share) * blend.novel
    table, learned = _alone(blend)
    if mode == "paper":
        return np.where((certain >= PAPER_CERTAIN)[..., None], table, learned)
    return np.broadcast_to(table if mode == "taxonomy" else learned, (*familiarity.shape, 3))


def trusting(blend: Blend, weights: Floats, told: tuple[int, ...]) -> Floats:
    """Weights float64[n, 3] where the class of some rows is known."""
    trusted = weights.copy()
    trusted[list(told)] = blend.told
    return trusted


def _alone(blend: Blend) -> tuple[Floats, Floats]:
    """Weights where the taxonomy decides alone (by the table in use), and the learned view."""
    place = AXES if blend.familiar[AXES] > blend.familiar[CLASSES] else CLASSES
    table, learned = np.zeros(3), np.zeros(3)
    table[place], learned[LEARNED] = 1.0, 1.0
    return table, learned


def shrunk(blend: Blend, difficulty: Floats, familiarity: Floats) -> Floats:
    """Difficulty as far as the query is familiar, the mean one as far as it is not: float64[...].

    What words nobody has seen say of difficulty is worth nothing.
    """
    return blend.centre + familiarity * (difficulty - blend.centre)


def blend_quality(blend: Blend, views: Views, *, difficulty: Floats, weights: Floats) -> Floats:
    """Quality of each candidate: float64[..., n], above 0 and below 1.

    `difficulty`: float64[...]; `weights`: float64[..., 3] as from `view_weights`.
    """
    logits = blend.slope * (views.ability - difficulty[..., None]) + blend.shift
    advantage = weights[..., CLASSES, None] * views.classes
    advantage += weights[..., LEARNED, None] * views.learned
    advantage += weights[..., AXES, None] * views.axes
    return inside(sigmoid(logits) + advantage)


def inside(quality: Floats) -> Floats:
    """Bend what is near 0 or 1, or beyond, to the inside; the rest stays as it is.

    >>> inside(np.array([-0.5, 0.04, 0.5, 0.99, 1.2])).round(3).tolist()
    [0.0, 0.041, 0.5, 0.978, 1.0]
    """
    over = EDGE * np.exp(np.maximum((1 - EDGE - quality) / EDGE, -25))
    under = EDGE * np.exp(np.maximum((quality - EDGE) / EDGE, -25))
    bent: Floats = np.where(quality > 1 - EDGE, 1 - over, np.where(quality < EDGE, under, quality))
    return bent


def quality_sd(blend: Blend, quality: Floats, *, ability_sd: Floats, familiarity: Floats) -> Floats:
    """Standard error of the quality: what ability leaves open, and what the views do.

    `quality`: float64[..., n]; `ability_sd`: float64[n], logits; `familiarity`: float64[...].
    """
    steep = blend.slope * quality * (1 - quality)
    share = familiarity[..., None]
    spread = share * blend.spread[0] + (1 - share) * blend.spread[1]
    sd: Floats = np.sqrt((steep * ability_sd) ** 2 + spread**2)
    return sd
