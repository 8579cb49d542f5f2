"""The blend of the taxonomy view, the learned view and the prior.

Quality = sigmoid(slope (ability - difficulty) + shift) + advantage, where the advantage over what
ability alone predicts is a weighted sum of both views. A view's weight is what it earned on
queries held out at random, times familiarity, plus what it earned on families of queries held
out whole, times the rest. So on unfamiliar work the choice slides toward the best model overall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.arrays import AnyArray, Arrays, floats

_ALONE = {"taxonomy": np.array([1.0, 0.0]), "learned": np.array([0.0, 1.0])}
"""Weights of one view alone."""

Mode = Literal["blend", "paper", "taxonomy", "learned"]
LOWEST, HIGHEST = 0.01, 0.99
PAPER_CERTAIN = 0.6
"""In mode `paper` the taxonomy view decides where the likeliest task has at least this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blend:
    """Weights of the views.

    `familiar`, `novel`: float64[2], weights of taxonomy and learned view; `slope`, `shift`: of the
    logit of ability against difficulty; `spread`: float64[2], standard deviation of true advantages
    around the blend on familiar and on novel queries; `centre`: mean difficulty of what was learned
    from, toward which an unfamiliar query slides.
    """

    familiar: Floats
    novel: Floats
    slope: float
    shift: float
    spread: Floats
    centre: float = 0.0

    @classmethod
    def stated(cls) -> Blend:
        """For use before anything was learned: the prior alone."""
        return cls(
            familiar=np.zeros(2), novel=np.zeros(2), slope=1.0, shift=0.0, spread=np.full(2, 0.1)
        )

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Blend:
        """Read `router/blend` of an artifact."""
        numbers = floats(arrays, "router/blend", (9,))
        return cls(
            familiar=numbers[0:2], novel=numbers[2:4], slope=float(numbers[4]),
            shift=float(numbers[5]), spread=numbers[6:8], centre=float(numbers[8]),
        )  # fmt: skip

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        scalars = np.array([self.slope, self.shift])
        parts = (self.familiar, self.novel, scalars, self.spread, np.array([self.centre]))
        return {"router/blend": np.concatenate(parts)}


class Views(NamedTuple):
    """What each view says: float64[n] in the order of the candidates."""

    ability: Floats
    taxonomy: Floats
    learned: Floats


def sigmoid(logits: Floats) -> Floats:
    """Logistic function, safe for any input."""
    return 1 / (1 + np.exp(np.minimum(np.maximum(-logits, -30), 30)))


def view_weights(blend: Blend, familiarity: Floats, certain: Floats, *, mode: Mode) -> Floats:
    """Weights of taxonomy and learned view: float64[..., 2].

    `familiarity`, `certain` (probability of the likeliest task): float64[...].
    """
    if mode == "paper":
        switch = (certain >= PAPER_CERTAIN)[..., None]
        return np.where(switch, _ALONE["taxonomy"], _ALONE["learned"])
    if mode != "blend":
        return np.broadcast_to(_ALONE[mode], (*familiarity.shape, 2))
    share = familiarity[..., None]
    return share * blend.familiar + (1 - share) * blend.novel


def shrunk(blend: Blend, difficulty: Floats, familiarity: Floats) -> Floats:
    """Difficulty as far as the query is familiar, the mean one as far as it is not: float64[...].

    What words nobody has seen say of difficulty is worth nothing.
    """
    return blend.centre + familiarity * (difficulty - blend.centre)


def blend_quality(blend: Blend, views: Views, *, difficulty: Floats, weights: Floats) -> Floats:
    """Quality of each candidate: float64[..., n] in 0.01..0.99.

    `views.taxonomy`, `views.learned`: float64[..., n]; `difficulty`: float64[...]; `weights`:
    float64[..., 2] as from `view_weights`.
    """
    logits = blend.slope * (views.ability - difficulty[..., None]) + blend.shift
    advantage = weights[..., :1] * views.taxonomy + weights[..., 1:] * views.learned
    return np.minimum(np.maximum(sigmoid(logits) + advantage, LOWEST), HIGHEST)


def quality_sd(blend: Blend, quality: Floats, *, ability_sd: Floats, familiarity: Floats) -> Floats:
    """Standard error of the quality: what ability leaves open, and what the views do.

    `quality`: float64[..., n]; `ability_sd`: float64[n], logits; `familiarity`: float64[...].
    """
    steep = blend.slope * quality * (1 - quality)
    share = familiarity[..., None]
    spread = share * blend.spread[0] + (1 - share) * blend.spread[1]
    sd: Floats = np.sqrt((steep * ability_sd) ** 2 + spread**2)
    return sd
