"""The dial of a pool, to be asked without serving anybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.build.parts import learned_from, load_artifact, reference_of
from emafusion.catalog import cost_usd
from emafusion.config import Config
from emafusion.domain.errors import UnknownModel
from emafusion.domain.model import Candidate
from emafusion.estimate.estimator import HybridEstimator
from emafusion.policy.dial import Dial, Setting, fit_dial


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolDial:
    """A pool's dial.

    `qualities`: predicted mean quality of each candidate by name, 0..1. `unpriced`: names of those
    whose price nobody knows; the dial counts them as the dearest, and knows no dollars if all are.
    """

    dial: Dial
    qualities: dict[str, float]
    unpriced: tuple[str, ...]

    @property
    def best(self) -> str:
        """Name of the candidate of the highest predicted mean quality."""
        return max(self.qualities, key=lambda name: self.qualities[name])

    def for_quality_share(self, share: float, reference: str | None = None) -> Setting:
        """The cheapest setting that reaches a share of a candidate's quality.

        `reference`: None for the best candidate. Raises `UnknownModel` for a name that is not in
        the pool, `BadInput` for a share that is out of reach.
        """
        name = self.best if reference is None else reference
        if name not in self.qualities:
            there = ", ".join(list(self.qualities)[:8])
            raise UnknownModel(f"no model '{name[:80]}'; there are {there}", where="--reference")
        return self.dial.for_quality_share(share, reference=self.qualities[name])


def dial_of(config: Config, candidates: tuple[Candidate, ...]) -> PoolDial:
    """Make the dial of a pool by the artifact that the config names; calls nobody."""
    learned = learned_from(load_artifact(config.policy.artifact))
    estimator = HybridEstimator(learned.router, cost_usd)
    estimates = estimator.estimate_many(reference_of(learned), candidates)
    quality = np.array([each.quality for each in estimates])
    costs = np.array([each.cost_usd for each in estimates])
    means = quality.mean(axis=0).tolist()
    names = [candidate.name for candidate in candidates]
    unknown = np.flatnonzero(~np.isfinite(costs).all(axis=0))
    return PoolDial(
        dial=fit_dial(quality, costs),
        qualities=dict(zip(names, means, strict=True)),
        unpriced=tuple(names[k] for k in unknown),
    )
