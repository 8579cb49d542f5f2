"""What to expect of a model before any outcome: its price, family and size.

Ability is on the scale of the difficulty head: P(right) = sigmoid(ability - difficulty). It is a
line in log10 of price and size, with another line where one of them is unknown, plus an offset of
the family. The standard deviation is that of recorded models around their line.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Floats
from emafusion.domain.model import Model, Price
from emafusion.estimate.arrays import AnyArray, Arrays, floats, words
from emafusion.estimate.names import canonical

PROMPT_SHARE = 0.5
"""Share of the prompt price in the blended price: prompts are longer, completions dearer."""

SMALLEST_USD, SMALLEST_B = 1e-3, 1e-2
"""Prices and sizes below this count as this, so that a free model has a finite prior."""


class Expected(NamedTuple):
    """Ability (logits), its standard deviation, and the phrase that says what it rests on."""

    ability: float
    sd: float
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriorState:
    """Lines of the prior.

    `lines`: float64[4, 3], intercept, slope of log10 blended USD per million tokens, slope of
    log10 billions of parameters; row = 2 x price known + size known. `sds`: float64[4].
    `families`: names with an `offsets`: float64[n], logits.
    """

    lines: Floats
    sds: Floats
    families: tuple[str, ...] = ()
    offsets: tuple[float, ...] = ()

    @classmethod
    def stated(cls) -> PriorState:
        """Rough lines for use before anything was fitted."""
        lines = [[0.3, 0.0, 0.0], [-1.2, 0.0, 1.0], [0.5, 0.6, 0.0], [-0.2, 0.35, 0.5]]
        return cls(lines=np.array(lines), sds=np.array([1.0, 0.7, 0.7, 0.6]))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PriorState:
        """Read `prior/...` of an artifact; the stated lines where it has none."""
        if "prior/lines" not in arrays:
            return cls.stated()
        families = words(arrays, "prior/families")
        return cls(
            lines=floats(arrays, "prior/lines", (4, 3)),
            sds=floats(arrays, "prior/sds", (4,)),
            families=families,
            offsets=tuple(floats(arrays, "prior/offsets", (len(families),)).tolist()),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        return {
            "prior/lines": self.lines,
            "prior/sds": self.sds,
            "prior/families": np.array(self.families, dtype=np.str_),
            "prior/offsets": np.array(self.offsets, np.float64),
        }


def blended_usd(price: Price | None) -> float | None:
    """Price per million tokens, prompt and completion mixed; None if either is unknown.

    >>> blended_usd(Price(prompt_usd_per_mtok=1.0, completion_usd_per_mtok=3.0))
    2.0
    """
    if price is None or price.prompt_usd_per_mtok is None or price.completion_usd_per_mtok is None:
        return None
    share = PROMPT_SHARE
    return share * price.prompt_usd_per_mtok + (1 - share) * price.completion_usd_per_mtok


def expect(state: PriorState, model: Model) -> Expected:
    """Expect an ability of a model that was never recorded.

    >>> small, large = (Model(name="m", provider="p", size_b=size) for size in (1.0, 70.0))
    >>> stated = PriorState.stated()
    >>> expect(stated, small).ability < expect(stated, large).ability
    True
    >>> expect(stated, large).basis
    'prior: size'
    """
    usd, size = blended_usd(model.price), model.size_b
    usd = usd or None  # free says nothing about ability
    row = 2 * (usd is not None) + (size is not None)
    terms = (1.0, _log(usd, SMALLEST_USD), _log(size, SMALLEST_B))
    offset = _family_offset(state, model)
    known = [
        name
        for name, there in (("price", usd), ("family", offset), ("size", size))
        if there is not None
    ]
    ability = float(state.lines[row] @ np.array(terms)) + (offset or 0.0)
    basis = f"prior: {', '.join(known)}" if known else "prior: nothing known of the model"
    return Expected(ability, float(state.sds[row]), basis)


def _log(value: float | None, smallest: float) -> float:
    """log10, 0 where unknown (its slope is 0 there)."""
    return 0.0 if value is None else log10(max(value, smallest))


def _family_offset(state: PriorState, model: Model) -> float | None:
    """Offset of the model's family, by its stated family or by the start of its name."""
    stated, name = canonical(model.family or ""), canonical(model.name)
    for family, offset in zip(state.families, state.offsets, strict=True):
        if stated == family or name.startswith(family):
            return offset
    return None
