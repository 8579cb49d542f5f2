"""How a replay compares with its baselines: every figure of its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emafusion.domain.features import Floats, Ints
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
from emafusion.replay.groups import Group, groups_of
from emafusion.replay.metrics.bootstrap import Interval, intervals
from emafusion.replay.metrics.calibration import brier, expected_error
from emafusion.replay.metrics.equal import Bounds, equal_bounds
from emafusion.replay.metrics.frontier import area, at_cost, cost_of, gap_recovered, mixed_at
from emafusion.replay.metrics.means import mean_cost, mean_known, quantile_known, shares
from emafusion.replay.records import Records
from emafusion.replay.run import Run
from emafusion.replay.summary import (
    BEST,
    BEST_FITTED,
    BUDGETS,
    CHEAPEST,
    ORACLE,
    TASK,
    Budget,
    Point,
    Single,
    Summary,
)  # fmt: skip


def summarize(
    records: Records,
    runs: Sequence[Run],
    *,
    fitted: Mapping[str, Ints] | None = None,
    classes: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
) -> Summary:
    """Compute every figure.

    `fitted`: baselines that were chosen on what was fitted, by role: int64[n], columns; `classes`:
    axis -> the class of each query.
    """
    scene = _Scene(records, runs, fitted={} if fitted is None else fitted, seed=seed)
    axes = {"dataset": records.datasets, **({} if classes is None else classes)}
    return Summary(
        policy=runs[0].policy,
        queries=len(records.queries),
        models=len(records.models),
        scored=int(np.isfinite(records.score).any(axis=1).sum()),
        baselines=scene.singles(),
        points=tuple(scene.points()),
        budgets=tuple(scene.budget(share) for share in BUDGETS),
        equal_share=scene.equal_share(),
        equal_bounds=scene.equal_bounds(),
        aiq=scene.area(*scene.curve),
        aiq_mix=scene.area(*scene.mixes),
        groups=scene.groups(axes),
    )


class _Scene:
    """What every figure is made from, computed once."""

    def __init__(
        self, records: Records, runs: Sequence[Run], *, fitted: Mapping[str, Ints], seed: int
    ) -> None:
        self.records, self.runs, self.seed = records, runs, seed
        self.given = [picked(records, run.model, run.policy) for run in runs]
        self.costs = [mean_cost(run.cost_usd[run.model >= 0]) for run in runs]
        self.baselines = _baselines(records, fitted)
        # Against the one chosen on what was fitted: nobody could have chosen by the test itself.
        self.best = self.baselines.get(BEST_FITTED) or self.baselines.get(BEST)
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

    def singles(self) -> tuple[Single, ...]:
        """Every baseline with the interval of its accuracy."""
        if not self.baselines:
            return ()
        scores = np.stack([each.score for each in self.baselines.values()], axis=1)
        spread = intervals(scores, seed=self.seed)
        rows = zip(self.baselines.items(), spread, strict=True)
        return tuple(_single(role, each, reach) for (role, each), reach in rows)

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
            regret=self._regret(score, ORACLE),
            regret_task=self._regret(score, TASK),
            models=shares([self._name(k) for k in run.model.tolist()]),
            routes=shares(run.routes),
            signals=float(np.median([len(names) for names in run.judges])),
        )

    def _name(self, k: int) -> str:
        return self.records.models[k] if k >= 0 else "none"

    def _dearest(self, run: Run) -> float | None:
        costs, _, names = self.mixes[0], None, singles(self.records)[2]
        if not len(names):
            return None
        return float((run.model == self.records.place(names[int(costs.argmax())])).mean())

    def _recovered(self, accuracy: Interval | None) -> float | None:
        weak = self.baselines.get(CHEAPEST)
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

    def groups(self, axes: Mapping[str, Sequence[str]]) -> tuple[Group, ...]:
        """By data set and class, at the best single model's cost, else at the last setting."""
        if self.best is None:
            return ()
        usd = self.best.usd
        low, high, part = (usd is not None and self._near(usd)) or (-1, -1, 0.0)
        score = (1 - part) * self.given[low].score + part * self.given[high].score
        return groups_of(axes, score, self.best.score, seed=self.seed)

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

    def equal_bounds(self) -> Bounds | None:
        """How sure that share is; None where it is not known."""
        if self.best is None or self.equal_share() is None or len(self.curve[0]) < len(self.runs):
            return None
        scores = np.stack([given.score for given in self.given], axis=1)
        costs = np.stack([run.cost_usd for run in self.runs], axis=1)
        model = self.best.score, self.best.cost_usd
        return equal_bounds((scores, costs), model, seed=self.seed)

    def area(self, costs: Floats, scores: Floats) -> float | None:
        """AIQ over the range of the single models."""
        if not self.mixes[0].size:
            return None
        low, high = float(self.mixes[0].min()), float(self.mixes[0].max())
        return area(costs, scores, low_usd=low, high_usd=high)


def _baselines(records: Records, fitted: Mapping[str, Ints]) -> dict[str, Baseline]:
    """Baselines by role, as far as they can be had."""
    found = {
        role: picked(records, columns, _names(records, columns)) for role, columns in fitted.items()
    }
    best, least = best_single(records), cheapest(records)
    if best is not None:
        found[BEST] = single(records, best)
    if least is not None:
        found[CHEAPEST] = single(records, least)
    if best is not None:
        columns = by_task(records)
        found[TASK] = picked(records, columns, _names(records, columns))
        found[ORACLE] = picked(records, by_oracle(records), "best of each query")
    return found


def _names(records: Records, columns: Ints) -> str:
    """The one model that is called, or how many are."""
    names = [records.models[k] for k in sorted({int(k) for k in columns}) if k >= 0]
    return names[0] if len(names) == 1 else f"{len(names)} models"


def _single(role: str, each: Baseline, reach: Interval | None) -> Single:
    return Single(
        role=role, name=each.name, accuracy=each.accuracy, cost_usd=each.usd, interval=reach
    )


def _less(accuracy: Interval | None, base: float | None) -> Interval | None:
    """An interval shifted by a number that is not drawn anew."""
    if accuracy is None or base is None:
        return None
    return Interval(mean=accuracy.mean - base, low=accuracy.low - base, high=accuracy.high - base)
