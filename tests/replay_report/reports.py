"""Reports to write: of a small replay, of one that knows next to nothing, of one that is huge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
from tests.lab.recorded import recorded

from emafusion.domain.query import Query, ask
from emafusion.replay.comparison import summarize
from emafusion.replay.metrics.bootstrap import Interval
from emafusion.replay.records import Records, records_of
from emafusion.replay.report.collect import report_of
from emafusion.replay.report.figures import Cell, Head, Model, Report
from emafusion.replay.run import Run

HEAD = Head(
    table="made", artifact="Fitted on made, 2026-11-25", version="0.1", date="2026-11-25", seed=0,
    notes=("prices are those of the day of recording",),
)  # fmt: skip

NUMBERS = ("score", "cost_usd", "latency_s")


def query_of(query_id: str, prompt: str | None, _messages: str | None) -> Query:
    """A query of one user message."""
    return ask(prompt or "", query_id=query_id)


def records(frame: pl.DataFrame) -> Records:
    """The records of a table."""
    return records_of(frame, query_of)


def runs_of(found: Records, weights: Sequence[float] = (0.0, 0.5, 1.0)) -> list[Run]:
    """A dial that goes from the cheapest model to the best of each kind of work."""
    rng = np.random.default_rng(1)
    cheap, best = found.place("clerk"), found.place("scholar")
    runs = []
    for weight in weights:
        wise = rng.random(len(found.queries)) < weight
        history = np.array([name == "history" for name in found.datasets])
        model = np.where(wise & history, best, cheap)
        rows = np.arange(len(model))
        runs.append(
            Run(
                policy="hybrid",
                quality_weight=weight,
                model=model,
                called=tuple((int(k),) for k in model),
                judges=((),) * len(model),
                confidence=rng.random(len(model)),
                propensity=np.ones(len(model)),
                cost_usd=found.cost_usd[rows, model],
                latency_s=found.latency_s[rows, model],
                routes=("taxonomy",) * len(model),
                fused=np.zeros(len(model), np.bool_),
            )
        )
    return runs


def reported(found: Records, weights: Sequence[float] = (0.0, 0.5, 1.0)) -> Report:
    """The report of a replay of these records."""
    runs = runs_of(found, weights)
    kinds = ("dataset", found.datasets)
    return report_of(found, runs, summarize(found, runs), head=HEAD, kinds=kinds)


def report(queries: int = 300) -> Report:
    """A report in which everything is known."""
    return reported(records(recorded(queries)))


def without(*names: str, queries: int = 300) -> Report:
    """A report of answers without these numbers, of `NUMBERS`."""
    nothing = {name: pl.lit(None, pl.Float64) for name in names}
    return reported(records(recorded(queries).with_columns(**nothing)))


def named(text: str) -> Report:
    """A report in which everything that a table names is called so."""
    found = records(recorded(60))
    runs = runs_of(found)
    found = replace(
        found,
        models=tuple(f"{text}{k}" for k in range(len(found.models))),
        datasets=tuple(f"{text}{'abc'[i % 3]}" for i in range(len(found.queries))),
    )
    runs = [replace(run, routes=(text,) * len(run.routes)) for run in runs]
    head = Head(table=text, artifact=text, version=text, date=text, seed=0, notes=(text,))
    kinds = ("dataset", found.datasets)
    return report_of(found, runs, summarize(found, runs), head=head, kinds=kinds)


def crowd(models: int = 200, kinds: int = 60) -> Report:
    """A report of so many models in so many classes."""
    rng = np.random.default_rng(0)
    names = [f"vendor/model-{k:03d}-instruct" for k in range(models)]

    def spread() -> Interval:
        mean = float(rng.uniform(0.2, 0.9))
        return Interval(mean=mean, low=mean - 0.02, high=mean + 0.02)

    cells = tuple(
        Cell(model=name, kind=f"suite/task {j:02d}", score=spread(), answers=100 - j, chosen=0.01)
        for j in range(kinds)
        for name in names
    )
    rows = tuple(
        Model(name=name, accuracy=spread(), cost_usd=float(10 ** rng.uniform(-5, -2)), answers=6000,
              chosen=1 / models)
        for name in names
    )  # fmt: skip
    return msgspec.structs.replace(report(), models=rows, cells=cells)
