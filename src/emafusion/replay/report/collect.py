"""The figures of a report, from what was replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np

from emafusion.domain.features import Floats
from emafusion.replay.baselines import singles
from emafusion.replay.metrics.bootstrap import intervals
from emafusion.replay.metrics.calibration import Bin, reliability
from emafusion.replay.metrics.frontier import hull
from emafusion.replay.metrics.means import mean_cost, mean_known
from emafusion.replay.metrics.wilson import wilson
from emafusion.replay.records import Records
from emafusion.replay.report.figures import (
    MIX,
    Cell,
    Curve,
    Head,
    Mark,
    Model,
    Reliability,
    Report,
)
from emafusion.replay.run import Run
from emafusion.replay.summary import BEST, BEST_FITTED, Single, Summary

FEWEST_OF_CELL = 5
"""Answers below which a cell of the heat map says nothing."""


def report_of(
    records: Records,
    runs: Sequence[Run],
    summary: Summary,
    *,
    head: Head,
    kinds: tuple[str, Sequence[str]],
    others: Mapping[str, Sequence[Run]] | None = None,
) -> Report:
    """Collect what is shown.

    `kinds`: an axis, and on it the class of each of n queries; `others`: runs of other policies
    over the same records, by name.
    """
    run = _shown(runs, summary)
    axis, names = kinds
    curves = [curve_of(name, records, each) for name, each in (others or {}).items()]
    return Report(
        head=head,
        summary=summary,
        shown=run.quality_weight,
        axis=axis,
        models=_models(records, run, seed=head.seed),
        cells=_cells(records, run, names),
        reliability=tuple(_bin(each) for each in reliability(run.confidence, _given(records, run))),
        curves=tuple(curve for curve in (*curves, mixes(records)) if curve.marks),
    )


def sha256_of(records: Records) -> str:
    """Of what was replayed, in hexadecimal digits: queries, models, answers, scores and money.

    The same table gives the same digits, whatever file it came from.
    """
    found = sha256("\0".join(records.models).encode("utf-8", "replace"))
    for query, dataset in zip(records.queries, records.datasets, strict=True):
        text = f"{query.query_id}\0{dataset}\0{query.prompt}\n"
        found.update(text.encode("utf-8", "replace"))
    for table in (records.score, records.cost_usd, records.latency_s):
        found.update(np.ascontiguousarray(table).tobytes())
    for row in records.row.ravel().tolist():
        answer = "" if row < 0 else records.answers[row] or ""
        found.update(f"{answer}\n".encode("utf-8", "replace"))
    return found.hexdigest()


def compared_with(summary: Summary) -> Single | None:
    """The best single model that everything is compared with: chosen by the fit, else here."""
    roles = {each.role: each for each in summary.baselines}
    return roles.get(BEST_FITTED) or roles.get(BEST)


def curve_of(name: str, records: Records, runs: Sequence[Run]) -> Curve:
    """Mean cost and score of a policy's settings, where both are known."""
    found = [
        (run.quality_weight, mean_cost(run.cost_usd[run.model >= 0]), mean_known(score))
        for run, score in ((run, _given(records, run)) for run in runs)
    ]
    marks = tuple(
        Mark(cost_usd=usd, accuracy=score, setting=setting)
        for setting, usd, score in found
        if usd is not None and score is not None
    )
    return Curve(name=name, marks=marks)


def mixes(records: Records) -> Curve:
    """Corners of the upper hull of single models: between them, a draw by lot."""
    costs, scores, names = singles(records)
    at = {(c, s): n for c, s, n in zip(costs.tolist(), scores.tolist(), names, strict=True)}
    corners = zip(*(side.tolist() for side in hull(costs, scores)), strict=True)
    marks = tuple(
        Mark(cost_usd=c, accuracy=s, name=at[c, s]) for c, s in corners if np.isfinite((c, s)).all()
    )
    return Curve(name=MIX, marks=marks)


def _shown(runs: Sequence[Run], summary: Summary) -> Run:
    """The setting that costs the most up to the best single model's cost, else the last one."""
    best = compared_with(summary)
    limit = None if best is None or best.cost_usd is None else best.cost_usd * (1 + 1e-9)
    costs = [point.cost_usd for point in summary.points]
    within = [(cost, i) for i, cost in enumerate(costs) if cost is not None and limit is not None
              and cost <= limit]  # fmt: skip
    return runs[max(within)[1]] if within else runs[-1]


def _given(records: Records, run: Run) -> Floats:
    """Score of each answer given: float64[n], NaN where there was none."""
    rows = np.arange(len(records.queries))
    return np.where(run.model >= 0, records.score[rows, run.model], np.nan)


def _models(records: Records, run: Run, *, seed: int) -> tuple[Model, ...]:
    chosen, answers = _shares(run, records), np.isfinite(records.score).sum(axis=0).tolist()
    costs = [mean_known(records.cost_usd[:, k]) for k in range(len(records.models))]
    most = max((cost for cost in costs if cost is not None), default=None)
    rows = [
        Model(
            name=name,
            accuracy=spread,
            cost_usd=costs[k],
            answers=answers[k],
            chosen=chosen[k],
            dearest=most is not None and costs[k] == most,
        )
        for k, (name, spread) in enumerate(
            zip(records.models, intervals(records.score, seed=seed), strict=True)
        )
    ]
    return tuple(sorted(rows, key=lambda row: (-row.chosen, -_height(row), row.name)))


def _height(row: Model) -> float:
    return 0.0 if row.accuracy is None else row.accuracy.mean


def _shares(run: Run, records: Records) -> list[float]:
    counts = np.bincount(run.model[run.model >= 0], minlength=len(records.models))
    shares: list[float] = (counts / max(len(run.model), 1)).tolist()
    return shares


def _cells(records: Records, run: Run, kinds: Sequence[str]) -> tuple[Cell, ...]:
    names = np.array(kinds, dtype=np.str_)
    cells: list[Cell] = []
    for kind in sorted(set(kinds)):
        here = names == kind
        scores = records.score[here]
        chosen = (run.model[here, None] == np.arange(len(records.models))).mean(axis=0).tolist()
        for k, model in enumerate(records.models):
            known = scores[:, k][np.isfinite(scores[:, k])]
            enough = known.size >= FEWEST_OF_CELL
            cells.append(
                Cell(
                    model=model,
                    kind=kind,
                    score=wilson(float(known.mean()), known.size) if enough else None,
                    answers=int(known.size),
                    chosen=chosen[k],
                )
            )
    return tuple(cells)


def _bin(each: Bin) -> Reliability:
    return Reliability(
        low=each.low,
        high=each.high,
        count=each.count,
        confidence=each.confidence,
        accuracy=wilson(each.accuracy, each.count),
    )
