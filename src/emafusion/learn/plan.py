"""How a router is fitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from emafusion.estimate.arrays import Float32s
from emafusion.learn.classing import Kinds
from emafusion.learn.ways import WAYS, WayName

LearnedName = Literal["linear", "factor", "irt", "boosted", "auto"]
LEARNED: tuple[LearnedName, ...] = ("linear", "factor", "irt", "boosted", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to fit.

    `classes`: what the taxonomy is a table of: `dataset`, the data sets that the table names
    (clusters where it names none), `clusters`, or `axes`, the general axes of the encoder.
    `class_rank`: columns that the scores of classes are cut to, at most. `learned`: what learns
    the learned view: ridge regression, matrix factorisation, item response theory, boosted trees,
    or `auto`, what served best while rows were held out. `folds`, `family_folds`: parts that rows
    and families are held out in. `vectors`: float32[L, e], of the words that the encoder knows, if
    it knows any.
    """

    classes: Kinds = "dataset"
    class_rank: int = 48
    learned: LearnedName = "linear"
    folds: int = 4
    family_folds: int = 4
    seed: int = 0
    vectors: Float32s | None = field(default=None, repr=False, compare=False)

    @property
    def ways(self) -> tuple[WayName, ...]:
        """What is predicted from words; trees stand on the linear way."""
        if self.learned == "auto":
            return WAYS
        return ("linear",) if self.learned == "boosted" else (self.learned,)

    @property
    def rivals(self) -> tuple[str, ...]:
        """What is chosen from; the first one where none is surely better."""
        return (*WAYS, "boosted") if self.learned == "auto" else (self.learned,)
