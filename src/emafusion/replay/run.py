"""A replay: every query through the served flow, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import nan
from typing import TypeVar

import numpy as np

from emafusion.domain.command import Flow
from emafusion.domain.errors import NoCandidate
from emafusion.domain.evidence import JudgeStep
from emafusion.domain.features import Floats, Ints
from emafusion.domain.outcome import Answer
from emafusion.replay.driver import run
from emafusion.replay.recorded import RecordedAnswers
from emafusion.replay.records import Records

T = TypeVar("T")
FlowOf = Callable[[int, int], Flow[Answer]]
"""(place of the query, place of the setting) -> the flow that answers it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """What one policy did with n queries at one setting of the dial.

    `model`: int64[n], column of the model whose answer was given, -1 where nothing was;
    `called`: for each query the columns that were called, in order; `judges`: those that were
    asked, by the names of the judge table; `confidence`, `propensity`, `cost_usd` (every call and
    judge), `latency_s`: float64[n], NaN where unknown; `routes`: n names.
    """

    policy: str
    quality_weight: float
    model: Ints
    called: tuple[tuple[int, ...], ...]
    judges: tuple[tuple[str, ...], ...]
    confidence: Floats
    propensity: Floats
    cost_usd: Floats
    latency_s: Floats
    routes: tuple[str, ...]

    @property
    def calls(self) -> Ints:
        """int64[n], how many models were called."""
        return np.array([len(called) for called in self.called], np.int64)


def joined(parts: Sequence[tuple[Ints, Run]]) -> Run:
    """Put runs of different queries together: (their places among all, their run) each."""
    places = np.concatenate([where for where, _ in parts])
    order, runs = np.argsort(places, kind="stable"), [run for _, run in parts]
    ordered: list[int] = order.tolist()

    def rows(columns: Iterable[Floats]) -> Floats:
        return np.asarray(np.concatenate(list(columns))[order])

    def words(columns: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
        each = list(chain.from_iterable(columns))
        return tuple(each[i] for i in ordered)

    return replace(
        runs[0],
        model=np.concatenate([run.model for run in runs])[order],
        called=words(run.called for run in runs),
        judges=words(run.judges for run in runs),
        confidence=rows(run.confidence for run in runs),
        propensity=rows(run.propensity for run in runs),
        cost_usd=rows(run.cost_usd for run in runs),
        latency_s=rows(run.latency_s for run in runs),
        routes=words(run.routes for run in runs),
    )


class _Sheet:
    """Rows of one setting as they come."""

    def __init__(self, records: Records) -> None:
        self._latency_s = records.latency_s
        self._columns = {name: k for k, name in enumerate(records.models)}
        self._called: list[tuple[int, ...]] = []
        self._judges: list[tuple[str, ...]] = []
        self._routes: list[str] = []
        self._rows: list[tuple[int, float, float, float, float]] = []

    def add(self, i: int, answer: Answer) -> None:
        """Take down one answer."""
        evidence = answer.evidence
        called = tuple(self._columns[attempt.candidate] for attempt in evidence.attempts)
        self._called.append(called)
        asked = [j for p in answer.plans if isinstance(p.step, JudgeStep) for j in p.step.judges]
        self._judges.append(tuple(dict.fromkeys(name.removeprefix("llm:") for name in asked)))
        self._routes.append(answer.route)
        cost_usd, given = evidence.cost_usd, answer.attempt
        latency_s = sum(float(self._latency_s[i, k]) for k in called)
        latency_s += sum(judgement.latency_s for judgement in evidence.judgements)
        self._rows.append(
            (
                -1 if given is None else called[given],
                nan if answer.confidence is None else answer.confidence,
                answer.propensity,
                nan if cost_usd is None else cost_usd,
                latency_s,
            )
        )

    def skip(self) -> None:
        """Take down that nobody could be asked."""
        self._called.append(())
        self._judges.append(())
        self._routes.append("none")
        self._rows.append((-1, nan, 1.0, 0.0, 0.0))

    def run(self, policy: str, quality_weight: float) -> Run:
        """The whole setting."""
        columns = np.array(self._rows, np.float64).reshape(-1, 5).T
        return Run(
            policy=policy,
            quality_weight=quality_weight,
            model=columns[0].astype(np.int64),
            called=tuple(self._called),
            judges=tuple(self._judges),
            confidence=columns[1],
            propensity=columns[2],
            cost_usd=columns[3],
            latency_s=columns[4],
            routes=tuple(self._routes),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Play:
    """What is to be replayed. `done`: called after each query; `forget`: drops what was kept of it.

    `weights`: settings of the dial, in the order that `flow_of` counts them.
    """

    policy: str
    weights: tuple[float, ...]
    flow_of: FlowOf
    forget: Callable[[], None]
    done: Callable[[int], None]


def play(records: Records, plan: Play) -> tuple[Run, ...]:
    """Replay every query at every setting: one `Run` for each setting.

    All settings of a query follow each other, so that what is read of its answers is read once.
    """
    recorded = RecordedAnswers(records)
    sheets = [_Sheet(records) for _ in plan.weights]
    for i in range(len(records.queries)):
        for w, sheet in enumerate(sheets):
            try:
                sheet.add(i, run(plan.flow_of(i, w), recorded))
            except NoCandidate:  # nobody may serve this query: told as a row without a model
                sheet.skip()
        recorded.forget()
        plan.forget()
        plan.done(i + 1)
    pairs = zip(sheets, plan.weights, strict=True)
    return tuple(sheet.run(plan.policy, weight) for sheet, weight in pairs)
