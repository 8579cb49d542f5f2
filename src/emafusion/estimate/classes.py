"""Classes learned from a table: its data sets or clusters, told from a query's words.

The heads give each class a score; their softmax is the probability p(c|x), a label given with the
query takes its place. A model's quality in a class is the mean residual there (score less what
ability and difficulty predict), shrunk. Scores far from what an average query gets say that the
query is of a kind that was learned from: their length is what familiarity rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.arrays import AnyArray, Arrays, floats, words


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classes:
    """K classes.

    `names`: K; `basis`: float64[c, K], scores = class heads x basis + centre; `centre`: float64[K],
    share of each class; `temperature`: what scores are multiplied with; `values`:
    float64[n_models, K], residual quality; `lengths`: float64[n_models, K], by what factor answers
    are longer than the length head says; `outcomes`: float64[n_models, K], recorded answers.
    """

    names: tuple[str, ...]
    basis: Floats
    centre: Floats
    temperature: float
    values: Floats
    lengths: Floats
    outcomes: Floats

    @classmethod
    def none(cls, n_models: int = 0) -> Classes:
        """No classes.

        >>> Classes.none().names
        ()
        """
        empty = np.zeros((n_models, 0))
        return cls(
            names=(), basis=np.zeros((0, 0)), centre=np.zeros(0), temperature=1.0,
            values=empty, lengths=empty, outcomes=empty,
        )  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Arrays, n_models: int) -> Classes:
        """Read `router/classes/...` of an artifact."""
        names = words(arrays, "router/classes/names")
        k = len(names)
        return cls(
            names=names,
            basis=floats(arrays, "router/classes/basis", (-1, k)),
            centre=floats(arrays, "router/classes/centre", (k,)),
            temperature=float(floats(arrays, "router/classes/temperature", (1,))[0]),
            values=floats(arrays, "router/classes/values", (n_models, k)),
            lengths=floats(arrays, "router/classes/lengths", (n_models, k)),
            outcomes=floats(arrays, "router/classes/outcomes", (n_models, k)),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads; tables in single precision."""
        return {
            "router/classes/names": np.array(self.names, dtype=np.str_),
            "router/classes/basis": self.basis.astype(np.float32),
            "router/classes/centre": self.centre,
            "router/classes/temperature": np.array([self.temperature]),
            "router/classes/values": self.values.astype(np.float32),
            "router/classes/lengths": self.lengths.astype(np.float32),
            "router/classes/outcomes": self.outcomes.astype(np.float32),
        }

    @property
    def columns(self) -> int:
        """How many columns of the heads belong to the classes."""
        return len(self.basis)


def class_shares(classes: Classes, heads: Floats, given: Sequence[str | None]) -> Floats:
    """Probability of each class: float64[n, K].

    `heads`: float64[n, c], the class heads of each query; `given`: n names of the query's class,
    None where none was given; a name that is no class is as none.
    """
    shares = softened(heads @ classes.basis + classes.centre, classes.temperature)
    for i, place in known_places(classes, given):
        shares[i] = 0.0
        shares[i, place] = 1.0
    return shares


def known_places(classes: Classes, given: Sequence[str | None]) -> list[tuple[int, int]]:
    """Pairs of query and class where a known class was given."""
    if not any(given):
        return []
    place = {name: i for i, name in enumerate(classes.names) if name}
    return [(i, place[name]) for i, name in enumerate(given) if name in place]


def softened(scores: Floats, temperature: float) -> Floats:
    """Softmax of the scores times the temperature, along the last axis; empty stays empty.

    >>> softened(np.array([[0.0, 1.0]]), 100.0).round().tolist()
    [[0.0, 1.0]]
    """
    if scores.shape[-1] == 0:
        return scores
    scaled = temperature * scores
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def strength_of(classes: Classes, heads: Floats) -> Floats:
    """How far the class scores are from the average query's: float64[n], 0 without classes."""
    scores = heads @ classes.basis
    strength: Floats = np.sqrt((scores * scores).sum(axis=-1))
    return strength
