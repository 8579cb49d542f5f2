"""A replay in figures: the dial, its baselines, and what lies between them at equal cost."""

from __future__ import annotations

from msgspec import Struct

from emafusion.replay.groups import Group
from emafusion.replay.metrics.bootstrap import Interval
from emafusion.replay.metrics.equal import Bounds

BEST, CHEAPEST, TASK, ORACLE = "best single", "always cheapest", "model per task", "oracle"
BEST_FITTED, TASK_FITTED = "best single (fit)", "model per task (fit)"
"""Roles of baselines; those of `fit` were chosen on what was fitted on, the others here."""

BUDGETS = (1.0, 1 / 4, 1 / 8)
FEWEST_PAIRS = 200
"""Fewer paired queries than this tell nothing that is worth a claim."""


class Point(Struct, frozen=True, kw_only=True):
    """One setting of the dial. Accuracies in 0..1, money in US dollars a query, None unknown.

    `over_best`, `over_mix`: difference to the best single model, and to the best random mix of two
    models at equal cost (`mix`). `dearest`: share of queries that the dearest model answered;
    `recovered`: performance gap recovered from the cheapest to the best single model; `regret`:
    to the oracle, `regret_task`: to the best model of each task; `signals`: judges that were asked
    of a query, the median.
    """

    quality_weight: float
    accuracy: Interval | None
    cost_usd: float | None
    calls: float
    latency_p50_s: float | None
    latency_p95_s: float | None
    over_best: Interval | None
    mix: float | None
    over_mix: Interval | None
    brier: float | None
    calibration_error: float | None
    dearest: float | None
    recovered: float | None
    regret: float | None
    regret_task: float | None
    models: dict[str, float]
    routes: dict[str, float]
    signals: float = 0.0


class Budget(Struct, frozen=True, kw_only=True):
    """What the dial reaches at `share` of the best single model's cost, between two settings."""

    share: float
    accuracy: float | None
    over_best: Interval | None
    mix: float | None


class Single(Struct, frozen=True, kw_only=True):
    """A baseline: `role` says which. `interval`: of its accuracy."""

    role: str
    name: str
    accuracy: float | None
    cost_usd: float | None
    interval: Interval | None = None


class Summary(Struct, frozen=True, kw_only=True):
    """All of it.

    `equal_share`: share of the best single model's cost at which the dial is as accurate, with its
    bounds (None as a bound: never); `aiq`, `aiq_mix`: area under the curve of the dial and of
    random mixes of models; `groups`: by data set and class, at the best single model's cost;
    `effective_judges`: how many model judges that err apart the measured ones are worth.
    """

    policy: str
    queries: int
    models: int
    scored: int
    baselines: tuple[Single, ...]
    points: tuple[Point, ...]
    budgets: tuple[Budget, ...]
    equal_share: float | None
    aiq: float | None
    aiq_mix: float | None
    groups: tuple[Group, ...]
    equal_bounds: Bounds | None = None
    effective_judges: float | None = None
