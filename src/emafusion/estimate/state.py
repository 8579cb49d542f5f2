"""Everything the hybrid estimator learned, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.arrays import TASKS, AnyArray, Arrays, floats, words
from emafusion.estimate.classes import Classes
from emafusion.estimate.cost import Lengths
from emafusion.estimate.familiarity import Familiarity
from emafusion.estimate.hybrid import Blend
from emafusion.estimate.linear import Heads
from emafusion.estimate.prior import PriorState
from emafusion.estimate.table import CELLS, Table
from emafusion.estimate.trees import Trees


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RouterState:
    """State of `HybridEstimator`; n models were recorded.

    `models`: canonical names; `ability`, `ability_sd`: float64[n], logits on the scale of the
    difficulty head; `outcomes`: float64[n], recorded answers; `costs`: float64[n, 3], US dollars
    a call, a prompt token and a completion token, learned from recorded costs, NaN where none.
    """

    models: tuple[str, ...]
    ability: Floats
    ability_sd: Floats
    outcomes: Floats
    costs: Floats
    table: Table
    classes: Classes
    heads: Heads
    familiarity: Familiarity
    blend: Blend
    lengths: Lengths
    prior: PriorState
    trees: Trees = field(default_factory=Trees.none)

    @property
    def loadings(self) -> Floats:
        """Each model's share in what the learned view says: float64[n, r]."""
        return self.trees.loadings if self.trees.count else self.heads.loadings

    @classmethod
    def stated(cls) -> RouterState:
        """State before anything was learned: stated priors only.

        >>> RouterState.stated().models
        ()
        """
        none = np.zeros(0)
        return cls(
            models=(), ability=none, ability_sd=none, outcomes=none, costs=np.zeros((0, 3)),
            classes=Classes.none(),
            table=Table(leaves=np.zeros((0, CELLS), np.float32), outcomes=np.zeros((0, TASKS))),
            heads=Heads.stated(), familiarity=Familiarity.none(), blend=Blend.stated(),
            lengths=Lengths.stated(), prior=PriorState.stated(),
        )  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> RouterState:
        """Read `router/...` and `prior/...` of an artifact; stated priors where it has none.

        Raises:
            BadInput: an array is missing or of another shape.
        """
        if "router/models" not in arrays:
            return cls.stated()
        models = words(arrays, "router/models")
        n = len(models)
        return cls(
            models=models,
            ability=floats(arrays, "router/ability", (n,)),
            ability_sd=floats(arrays, "router/ability_sd", (n,)),
            outcomes=floats(arrays, "router/outcomes", (n,)),
            costs=floats(arrays, "router/costs_or_nan", (n, 3)),
            table=Table.from_arrays(arrays, n),
            classes=Classes.from_arrays(arrays, n),
            heads=Heads.from_arrays(arrays, n),
            trees=Trees.from_arrays(arrays, n),
            familiarity=Familiarity.from_arrays(arrays),
            blend=Blend.from_arrays(arrays),
            lengths=Lengths.from_arrays(arrays, n),
            prior=PriorState.from_arrays(arrays),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        return {
            "router/models": np.array(self.models, dtype=np.str_),
            "router/ability": self.ability,
            "router/ability_sd": self.ability_sd,
            "router/outcomes": self.outcomes,
            "router/costs_or_nan": self.costs,
            **self.table.to_arrays(),
            **self.classes.to_arrays(),
            **self.heads.to_arrays(),
            **self.trees.to_arrays(),
            **self.familiarity.to_arrays(),
            **self.blend.to_arrays(),
            **self.lengths.to_arrays(),
            **self.prior.to_arrays(),
        }
