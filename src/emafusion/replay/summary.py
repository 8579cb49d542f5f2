"""A replay in figures: the dial, its baselines, and what lies between them at equal cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats
from emafusion.replay.baselines import (
    Baseline,
    best_single,
    by_oracle,
    by_task,
    cheapest,
    picked,
    single,
    singles,
)  # fmt: skip
from emafusion.replay.metrics.bootstrap import Interval, intervals
from emafusion.replay.metrics.calibration import brier, expected_error
from emafusion.replay.metrics.frontier import area, at_cost, cost_of, gap_recovered, mixed_at
from emafusion.replay.metrics.means import mean_cost, mean_known, quantile_known, shares
from emafusion.replay.records import Records
from emafusion.replay.run import Run

BUDGETS = (1.0, 1 / 4, 1 / 8)
FEWEST_PAIRS = 200
"""Fewer paired queries than this tell nothing that is worth a claim."""


class Point(Struct, frozen=True, kw_only=True):
    """One setting of the dial. Accuracies in 0..1, money in US dollars a query, None unknown.

    `over_best`, `over_mix`: difference to the best single model, and to the best random mix of two
    models at equal cost (`mix`). `dearest`: share of queries that the dearest model answered;
    `recovered`: performance gap recovered from the cheapest to the best single model; `regret`:
    to the oracle, `regret_task`: to the best model of each task.
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


class Budget(Struct, frozen=True, kw_only=True):
    """What the dial reaches at `share` of the best single model's cost, between two settings."""

    share: float
    accuracy: float | None
    over_best: Interval | None
    mix: float | None


class Single(Struct, frozen=True, kw_only=True):
    """A baseline: `role` says which."""

    role: str
    name: str
    accuracy: float | None
    cost_usd: float | None


class Summary(Struct, frozen=True, kw_only=True):
    """All of it.

    `equal_share`: share of the best single model's cost at which the dial is as accurate; `aiq`,
    `aiq_mix`: area under the curve of the dial and of random mixes of models.
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


def summarize(
    records: Records, runs: Sequence[Run], *, fitted_best: int | None = None, seed: int = 0
) -> Summary:
    """Compute every figure. `fitted_best`: column of the best model of what was fitted on."""
    scene = _Scene(records, runs, fitted_best=fitted_best, seed=seed)
    return Summary(
        policy=runs[0].policy,
        queries=len(records.queries),
        models=len(records.models),
        scored=int(np.isfinite(records.score).any(axis=1).sum()),
        baselines=tuple(_single(role, each) for role, each in scene.baselines.items()),
        points=tuple(scene.points()),
        budgets=tuple(scene.budget(share) for share in BUDGETS),
        equal_share=scene.equal_share(),
        aiq=scene.area(*scene.curve),
        aiq_mix=scene.area(*scene.mixes),
    )


class _Scene:
    """What every figure is made from, computed once."""

    def __init__(
        self, records: Records, runs: Sequence[Run], *, fitted_best: int | None, seed: int
    ) -> None:
        self.records, self.runs, self.seed = records, runs, seed
        self.given = [picked(records, run.model, run.policy) for run in runs]
        self.costs = [mean_cost(run.cost_usd) for run in runs]
        self.baselines = _baselines(records, fitted_best)
        # Against the one chosen on what was fitted: nobody could have chosen by the test itself.
        self.best = self.baselines.get("best single (fit)") or self.baselines.get("best single")
        costs, scores, _ = singles(records)
        self.mixes = costs, scores
        self.curve = self._curve()

    def _curve(self) -> tuple[Floats, Floats]:
        """Mean cost and accuracy of the settings where both are known."""
        means = [mean_known(given.score) for given in self.given]
        pairs = [
            (c, m)
            for c, m in zip(self.costs, means, strict=True)
            if c is not None and m is not None
        ]
        table = np.array(pairs, np.float64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def points(self) -> list[Point]:
        """Every setting."""
        scores = np.stack([given.score for given in self.given], axis=1)
        spread = intervals(scores, seed=self.seed)
        over = self._over_best(scores)
        return [self._point(i, spread[i], over[i]) for i in range(len(self.runs))]

    def _over_best(self, scores: Floats) -> tuple[Interval | None, ...]:
        if self.best is None:
            return tuple(None for _ in self.runs)
        return intervals(np.asarray(scores - self.best.score[:, None]), seed=self.seed)

    def _point(self, i: int, accuracy: Interval | None, over: Interval | None) -> Point:
        run, score, usd = self.runs[i], self.given[i].score, self.costs[i]
        mix = None if usd is None else at_cost(*self.mixes, usd)
        return Point(
            quality_weight=run.quality_weight,
            accuracy=accuracy,
            cost_usd=usd,
            calls=float(run.calls.mean()),
            latency_p50_s=quantile_known(run.latency_s, 0.5),
            latency_p95_s=quantile_known(run.latency_s, 0.95),
            over_best=over,
            mix=mix,
            over_mix=_less(accuracy, mix),
            brier=brier(run.confidence, score),
            calibration_error=expected_error(run.confidence, score),
            dearest=self._dearest(run),
            recovered=self._recovered(accuracy),
            regret=self._regret(score, "oracle"),
            regret_task=self._regret(score, "model per task"),
            models=shares([self._name(k) for k in run.model.tolist()]),
            routes=shares(run.routes),
        )

    def _name(self, k: int) -> str:
        return self.records.models[k] if k >= 0 else "none"

    def _dearest(self, run: Run) -> float | None:
        costs, _, names = self.mixes[0], None, singles(self.records)[2]
        if not len(names):
            return None
        return float((run.model == self.records.place(names[int(costs.argmax())])).mean())

    def _recovered(self, accuracy: Interval | None) -> float | None:
        weak = self.baselines.get("always cheapest")
        if accuracy is None or weak is None or self.best is None:
            return None
        low, high = weak.accuracy, self.best.accuracy
        return (
            None
            if low is None or high is None
            else gap_recovered(accuracy.mean, weak=low, strong=high)
        )

    def _regret(self, score: Floats, role: str) -> float | None:
        other = self.baselines.get(role)
        return None if other is None else mean_known(other.score - score)

    def budget(self, share: float) -> Budget:
        """What the dial reaches at a share of the best single model's cost."""
        usd = None if self.best is None else self.best.usd
        near = None if usd is None else self._near(share * usd)
        if usd is None or near is None or self.best is None:
            return Budget(share=share, accuracy=None, over_best=None, mix=None)
        low, high, part = near
        score = (1 - part) * self.given[low].score + part * self.given[high].score
        over = intervals((score - self.best.score)[:, None], seed=self.seed)[0]
        return Budget(
            share=share, accuracy=mean_known(score), over_best=over,
            mix=at_cost(*self.mixes, share * usd),
        )  # fmt: skip

    def _near(self, usd: float) -> tuple[int, int, float] | None:
        places = [i for i, cost in enumerate(self.costs) if cost is not None]
        found = mixed_at(np.array([self.costs[i] for i in places], np.float64), usd)
        return None if found is None else (places[found[0]], places[found[1]], found[2])

    def equal_share(self) -> float | None:
        """Share of the best single model's cost at which the dial is as accurate."""
        if self.best is None or self.best.usd is None or self.best.accuracy is None:
            return None
        usd = cost_of(*self.curve, self.best.accuracy)
        return None if usd is None or self.best.usd <= 0 else usd / self.best.usd

    def area(self, costs: Floats, scores: Floats) -> float | None:
        """AIQ over the range of the single models."""
        if not self.mixes[0].size:
            return None
        low, high = float(self.mixes[0].min()), float(self.mixes[0].max())
        return area(costs, scores, low_usd=low, high_usd=high)


def _baselines(records: Records, fitted_best: int | None) -> dict[str, Baseline]:
    """Baselines by role, as far as they can be had."""
    found: dict[str, Baseline] = {}
    if fitted_best is not None:
        found["best single (fit)"] = single(records, fitted_best)
    best, least = best_single(records), cheapest(records)
    if best is not None:
        found["best single"] = single(records, best)
    if least is not None:
        found["always cheapest"] = single(records, least)
    if best is not None:
        found["model per task"] = picked(records, by_task(records), "by data set")
        found["oracle"] = picked(records, by_oracle(records), "best of each query")
    return found


def _single(role: str, each: Baseline) -> Single:
    return Single(role=role, name=each.name, accuracy=each.accuracy, cost_usd=each.usd)


def _less(accuracy: Interval | None, base: float | None) -> Interval | None:
    """An interval shifted by a number that is not drawn anew."""
    if accuracy is None or base is None:
        return None
    return Interval(mean=accuracy.mean - base, low=accuracy.low - base, high=accuracy.high - base)
