"""The dial: one number in 0..1 mapped onto equal steps of predicted mean quality.

A raw weight on cost would mean something else in every pool and change with every price list. So
the frontier of mean quality against cost is computed on reference queries, and the dial moves
along its quality in equal steps: between two points of the frontier lambda is interpolated by its
logarithm. The same frontier answers the opposite questions: which setting reaches a share of a
model's quality, keeps to a price, or suits the worth of an answer.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.domain.model import Objective

GRID = 40
WHERE = "dial"


class Setting(Struct, frozen=True, kw_only=True):
    """A place on the dial and what is expected there, of one call a query.

    `quality`: predicted mean, 0..1, with its standard error over the reference queries;
    `cost_usd`: mean of a query.
    """

    quality_weight: float
    quality: float
    quality_se: float
    cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dial:
    """Frontier of a pool on reference queries.

    `lambdas`: float64[k] descending, quality per US dollar; `qualities`: float64[k] ascending, mean
    quality reached; `costs_usd`: float64[k], mean cost per query; `ses`: float64[k], standard error
    of the mean quality. The last lambda is 0.

    >>> dial = fit_dial(np.array([[0.5, 0.9]]), np.array([[0.001, 0.01]]))
    >>> dial.quality_per_usd(Objective(quality_weight=1.0))
    0.0
    """

    lambdas: Floats
    qualities: Floats
    costs_usd: Floats
    ses: Floats
    _rises: tuple[float, ...] = field(init=False, repr=False)
    _logs: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Keep the points where the quality rises as plain numbers: asked on the request path."""
        rises = np.flatnonzero(np.diff(self.qualities, prepend=-1.0) > 0.0)
        positive = self.lambdas[rises]
        least = float(self.lambdas[self.lambdas > 0.0].min(initial=1.0))
        logs = np.log(np.maximum(positive, least / 10.0))
        object.__setattr__(self, "_rises", tuple(self.qualities[rises].tolist()))
        object.__setattr__(self, "_logs", tuple(logs.tolist()))

    def quality_per_usd(self, objective: Objective) -> float:
        """Lambda: how much quality a dollar must buy.

        A stated value of an answer decides; otherwise `quality_weight` picks the place on the
        frontier, where 0 is the cheapest acceptable end and 1 the best.
        """
        if objective.answer_value_usd is not None:
            return 1.0 / objective.answer_value_usd
        weight = objective.quality_weight
        if weight >= 1.0 or len(self._rises) < 2:
            return 0.0 if weight >= 1.0 else float(self.lambdas[0])
        low, high = self._rises[0], self._rises[-1]
        target = low + weight * (high - low)
        k = max(1, min(bisect_left(self._rises, target), len(self._rises) - 1))
        share = (target - self._rises[k - 1]) / (self._rises[k] - self._rises[k - 1])
        return math.exp(self._logs[k - 1] + share * (self._logs[k] - self._logs[k - 1]))

    def expected(self, objective: Objective) -> tuple[float, float]:
        """Mean quality and mean cost_usd that the frontier promises for this objective."""
        found = self._at(self.quality_per_usd(objective))
        return found.quality, found.cost_usd

    def at(self, quality_weight: float) -> Setting:
        """What is expected at a place of the dial, 0..1."""
        return self._at(self.quality_per_usd(Objective(quality_weight=quality_weight)))

    def for_answer_value(self, usd: float) -> Setting:
        """The setting for answers that are worth so much. Raises `BadInput` for none above 0."""
        if not usd > 0.0:
            raise BadInput(
                f"an answer must be worth more than 0 US dollars, not {usd:g}", where=WHERE
            )
        return self._at(1.0 / usd)

    def for_quality_share(self, share: float, *, reference: float) -> Setting:
        """The cheapest setting that reaches a share of a reference's mean quality.

        `reference`: mean quality of a candidate on the reference queries, 0..1. Raises `BadInput`
        with the share that can be reached where this one cannot.
        """
        target, most = share * reference, float(self.qualities[-1])
        if target > most + 1e-12:
            told = f"{share:.1%} of the reference's quality cannot be reached"
            raise BadInput(f"{told}; at most {most / reference:.1%} can", where=WHERE)
        return self.at(self._weight(target))

    def for_usd_per_query(self, usd: float) -> Setting:
        """The best setting that is expected to cost no more a query.

        Raises `BadInput` with the least that a query costs where that is more.
        """
        least = float(self.costs_usd.min())
        if usd < least:
            told = f"{usd:.3g} US dollars a query cannot be kept"
            raise BadInput(f"{told}; the cheapest setting takes {least:.3g}", where=WHERE)
        _, cost, quality, _ = self._frontier()
        return self.at(self._weight(float(np.interp(usd, cost, quality))))

    def _weight(self, quality: float) -> float:
        """Place on the dial of a mean quality."""
        low, high = float(self.qualities[0]), float(self.qualities[-1])
        return 1.0 if high <= low else min(max((quality - low) / (high - low), 0.0), 1.0)

    def _at(self, lam: float) -> Setting:
        """What the frontier expects at a lambda, interpolated by its logarithm."""
        logs, costs, qualities, ses = self._frontier()
        place = -math.log(lam) if lam > 0.0 else math.inf
        quality, cost, se = (
            float(np.interp(place, logs, each)) for each in (qualities, costs, ses)
        )
        return Setting(
            quality_weight=self._weight(quality), quality=quality, quality_se=se, cost_usd=cost
        )

    def _frontier(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Points where the quality rises: -log lambda, cost, quality, its standard error."""
        rises = np.flatnonzero(np.diff(self.qualities, prepend=-1.0) > 0.0)
        costs = np.maximum.accumulate(self.costs_usd[rises])
        return -np.array(self._logs), costs, self.qualities[rises], self.ses[rises]


def fit_dial(quality: Floats, cost_usd: Floats) -> Dial:
    """Make the dial of a pool.

    `quality`, `cost_usd`: float64[n_queries, n_candidates] on reference queries; unknown cost is
    NaN and counts as the dearest known of its query.
    """
    cost_usd = known_costs(cost_usd)
    lambdas = _grid(quality, cost_usd)
    points = np.array([_point(quality, cost_usd, lam) for lam in lambdas])
    return Dial(
        lambdas=lambdas,
        qualities=np.maximum.accumulate(points[:, 0]),
        costs_usd=points[:, 1],
        ses=points[:, 2],
    )


def known_costs(cost_usd: Floats) -> Floats:
    """Replace unknown costs by the dearest known one of the row: unknown is never cheap.

    >>> known_costs(np.array([0.1, np.nan, 0.3])).tolist()
    [0.1, 0.3, 0.3]
    """
    if not math.isnan(float(cost_usd.sum())):
        return cost_usd  # the usual case, and asked on the request path
    known = np.where(np.isnan(cost_usd), -np.inf, cost_usd)
    dearest = known.max(axis=-1, keepdims=True)
    dearest = np.where(np.isfinite(dearest), dearest, 0.0)
    return np.where(np.isnan(cost_usd), dearest, cost_usd)


def _grid(quality: Floats, cost_usd: Floats) -> Floats:
    """From where no candidate is worth its price any more to where price does not count.

    Dearer quality than any candidate sells would only send queries to whoever is a hair cheaper.
    """
    spread = float((cost_usd.max(axis=1) - cost_usd.min(axis=1)).mean())
    if spread <= 0.0:
        return np.zeros(1)
    most, means = 1e3 / spread, cost_usd.mean(axis=0)
    if (means > 0.0).all():
        most = min(most, max(float((quality.mean(axis=0) / means).max()), 1.0 / spread))
    return np.append(np.geomspace(most, 1e-3 / spread, GRID), 0.0)


def _point(quality: Floats, cost_usd: Floats, lam: float) -> tuple[float, float, float]:
    """Mean quality, mean cost and standard error of the quality at one lambda."""
    utility = quality - lam * cost_usd
    # Of equally useful candidates the cheaper one: without this, lambda 0 would pick at random.
    best = utility >= utility.max(axis=1, keepdims=True) - 1e-12
    chosen = np.where(best, cost_usd, np.inf).argmin(axis=1)
    rows = np.arange(len(quality))
    reached = quality[rows, chosen]
    se = float(reached.std() / math.sqrt(len(reached)))
    return float(reached.mean()), float(cost_usd[rows, chosen].mean()), se
