"""How a router is fitted."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.learn.classing import Kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to fit.

    `classes`: what the taxonomy is a table of: `dataset`, the data sets that the table names
    (clusters where it names none), `clusters`, or `axes`, the general axes of the encoder.
    `class_rank`: columns that the scores of classes are cut to, at most. `folds`, `family_folds`:
    parts that rows and families are held out in.
    """

    classes: Kinds = "dataset"
    class_rank: int = 48
    folds: int = 4
    family_folds: int = 4
    seed: int = 0
