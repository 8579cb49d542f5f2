"""Reports to write: of a small replay by hand, and of one that knows next to nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from tests.lab.recorded import recorded

from emafusion.domain.query import Query, ask
from emafusion.replay.comparison import summarize
from emafusion.replay.records import Records, records_of
from emafusion.replay.report.figures import Head, Report, report_of
from emafusion.replay.run import Run

HEAD = Head(
    table="made", artifact="Fitted on made, 2026-11-25", version="0.1", date="2026-11-25", seed=0,
    notes=("Prices are those of the day of recording.",),
)  # fmt: skip


def query_of(query_id: str, prompt: str | None, _messages: str | None) -> Query:
    """A query of one user message."""
    return ask(prompt or "", query_id=query_id)


def runs_of(records: Records) -> list[Run]:
    """A dial that goes from the cheapest model to the best of each kind of work."""
    rng = np.random.default_rng(1)
    cheap, best = records.place("clerk"), records.place("scholar")
    runs = []
    for weight in (0.0, 0.5, 1.0):
        wise = rng.random(len(records.queries)) < weight
        history = np.array([name == "history" for name in records.datasets])
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
                cost_usd=records.cost_usd[rows, model],
                latency_s=records.latency_s[rows, model],
                routes=("taxonomy",) * len(model),
            )
        )
    return runs


def report(frame: pl.DataFrame | None = None) -> Report:
    """A report of a replay of `frame`."""
    records = records_of(recorded(300) if frame is None else frame, query_of)
    runs = runs_of(records)
    return report_of(records, runs, summarize(records, runs), head=HEAD, kinds=records.datasets)


def bare() -> Report:
    """A report of answers without scores, costs and latencies."""
    nothing = {name: pl.lit(None, pl.Float64) for name in ("score", "cost_usd", "latency_s")}
    return report(recorded(4).with_columns(**nothing))


def named(text: str) -> Report:
    """A report in which everything that a table names is called so."""
    records = records_of(recorded(60), query_of)
    runs = runs_of(records)
    records = replace(
        records,
        models=tuple(f"{text}{k}" for k in range(len(records.models))),
        datasets=(text,) * len(records.queries),
    )
    head = Head(table=text, artifact=text, version=text, date=text, seed=0, notes=(text,))
    return report_of(records, runs, summarize(records, runs), head=head, kinds=records.datasets)
