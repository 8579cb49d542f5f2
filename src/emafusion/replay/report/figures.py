"""Everything that a report shows, as plain values: what the page and the pictures are made from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats
from emafusion.replay.metrics.calibration import Bin, reliability
from emafusion.replay.records import Records
from emafusion.replay.run import Run
from emafusion.replay.summary import Summary

FEWEST_OF_CELL = 5
"""Answers below which a cell of the heat map says nothing."""


class Head(Struct, frozen=True, kw_only=True):
    """What was replayed, by what, when.

    `table`: its name; `artifact`: title and date of its card; `date`: ISO; `notes`: what the
    figures do not show.
    """

    table: str
    artifact: str
    version: str
    date: str
    seed: int
    notes: tuple[str, ...] = ()


class Cell(Struct, frozen=True, kw_only=True):
    """One model in one class: mean score, answers behind it, and share of the class given to it."""

    model: str
    kind: str
    score: float | None
    answers: int
    chosen: float


class Model(Struct, frozen=True, kw_only=True):
    """One model of the table on its own, `cost_usd` a query, and the share of answers it gave."""

    name: str
    score: float | None
    cost_usd: float | None
    chosen: float


class Reliability(Struct, frozen=True, kw_only=True):
    """One bin of confidences: their mean, how many, and the share that was right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


class Report(Struct, frozen=True, kw_only=True):
    """The whole report.

    `shown`: setting of the dial that cells, models and reliability are of.
    """

    head: Head
    summary: Summary
    shown: float
    models: tuple[Model, ...]
    cells: tuple[Cell, ...]
    reliability: tuple[Reliability, ...]


def report_of(
    records: Records, runs: Sequence[Run], summary: Summary, *, head: Head, kinds: Sequence[str]
) -> Report:
    """Collect what is shown.

    `kinds`: n, the class of each query for the heat map.
    """
    run = _shown(runs, summary)
    score = _given(records, run)
    return Report(
        head=head,
        summary=summary,
        shown=run.quality_weight,
        models=_models(records, run),
        cells=_cells(records, run, kinds),
        reliability=tuple(_bin(each) for each in reliability(run.confidence, score)),
    )


def _shown(runs: Sequence[Run], summary: Summary) -> Run:
    """The setting that costs the most up to the best single model's cost, else the middle one."""
    best = next((each.cost_usd for each in summary.baselines if each.cost_usd is not None), None)
    costs = [point.cost_usd for point in summary.points]
    within = [
        place
        for place, cost in enumerate(costs)
        if best is not None and cost is not None and cost <= best * (1 + 1e-9)
    ]
    if not within:
        return runs[len(runs) // 2]
    return runs[max(within, key=lambda place: costs[place] or 0.0)]


def _given(records: Records, run: Run) -> Floats:
    """Score of each answer given: float64[n], NaN where there was none."""
    rows = np.arange(len(records.queries))
    return np.where(run.model >= 0, records.score[rows, run.model], np.nan)


def _models(records: Records, run: Run) -> tuple[Model, ...]:
    shares = _shares(run, len(records.models))
    rows = [
        Model(
            name=name,
            score=_mean(records.score[:, k]),
            cost_usd=_mean(records.cost_usd[:, k]),
            chosen=shares[k],
        )
        for k, name in enumerate(records.models)
    ]
    return tuple(sorted(rows, key=lambda row: (-row.chosen, -(row.score or 0.0), row.name)))


def _shares(run: Run, models: int) -> list[float]:
    counts = np.bincount(run.model[run.model >= 0], minlength=models)
    shares: list[float] = (counts / max(len(run.model), 1)).tolist()
    return shares


def _cells(records: Records, run: Run, kinds: Sequence[str]) -> tuple[Cell, ...]:
    names = np.array(kinds)
    cells: list[Cell] = []
    for kind in sorted(set(kinds)):
        here = names == kind
        for k, model in enumerate(records.models):
            scores = records.score[here, k]
            answers = int(np.isfinite(scores).sum())
            cells.append(
                Cell(
                    model=model,
                    kind=kind,
                    score=_mean(scores) if answers >= FEWEST_OF_CELL else None,
                    answers=answers,
                    chosen=float((run.model[here] == k).mean()),
                )
            )
    return tuple(cells)


def _bin(each: Bin) -> Reliability:
    return Reliability(
        low=each.low,
        high=each.high,
        count=each.count,
        confidence=each.confidence,
        accuracy=each.accuracy,
    )


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None
