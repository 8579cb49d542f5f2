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
from emafusion.domain.features import Floats, Ints
from emafusion.domain.outcome import Answer
from emafusion.replay.driver import run
from emafusion.replay.labelled import SlowRecords
from emafusion.replay.recorded import RecordedAnswers
from emafusion.replay.records import Bools, Records

T = TypeVar("T")
FlowOf = Callable[[int, int], Flow[Answer]]
"""(place of the query, place of the setting) -> the flow that answers it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """What one policy did with n queries at one setting of the dial.

    `model`: int64[n], column of the model whose answer was given, or whose words an answer that
    several gave has; -1 where nothing was; `fused`: bool[n], whether several gave it together;
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
    fused: Bools

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
        fused=np.concatenate([run.fused for run in runs])[order],
    )


class _Sheet:
    """Rows of one setting as they come; this is on the path of every query."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._columns = {name: k for k, name in enumerate(records.models)}
        self._places: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._called: list[tuple[int, ...]] = []
        self._judges: list[tuple[str, ...]] = []
        self._routes: list[str] = []
        self._fused: list[bool] = []
        self._gathered: list[int] = []
        self._rows: list[tuple[int, float, float, float, float]] = []

    def add(self, answer: Answer) -> None:
        """Take down one answer."""
        evidence, given, sure = answer.evidence, answer.attempt, answer.confidence
        if answer.fused is not None:  # in the words of the first of them
            given = answer.fused.attempts[0]
        called = self._places_of(tuple([attempt.candidate for attempt in evidence.attempts]))
        cost_usd = evidence.cost_usd
        reading_s = 0.0
        asked: tuple[str, ...] = ()
        if evidence.judgements:
            asked = tuple(
                dict.fromkeys([j.judge.removeprefix("llm:") for j in evidence.judgements])
            )
            reading_s = sum([judgement.latency_s for judgement in evidence.judgements])
        self._called.append(called)
        self._judges.append(asked)
        self._routes.append(answer.route)
        self._fused.append(answer.fused is not None)
        self._gathered.append(evidence.gathered)
        self._rows.append(
            (
                -1 if given is None else called[given],
                nan if sure is None else sure,
                answer.propensity,
                nan if cost_usd is None else cost_usd,
                reading_s,
            )
        )

    def skip(self) -> None:
        """Take down that nobody could be asked."""
        self._called.append(())
        self._judges.append(())
        self._routes.append("none")
        self._fused.append(False)
        self._gathered.append(0)
        self._rows.append((-1, nan, 1.0, nan, nan))

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
            latency_s=columns[4] + self._waited_s(),
            routes=tuple(self._routes),
            fused=np.array(self._fused, np.bool_),
        )

    def _places_of(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Columns of the models that were called; there are few such tuples, each is kept once."""
        found = self._places.get(names)
        if found is None:
            found = self._places[names] = tuple(self._columns[name] for name in names)
        return found

    def _waited_s(self) -> Floats:
        """Seconds of the calls of each query: NaN where one is unknown.

        One after another, but for the first ones where those ran side by side.
        """
        counts = [len(called) for called in self._called]
        rows = np.repeat(np.arange(len(counts)), counts)
        columns = np.fromiter(chain.from_iterable(self._called), np.int64, len(rows))
        waited = np.zeros(len(counts))
        np.add.at(waited, rows, self._records.latency_s[rows, columns])
        for i, count in enumerate(self._gathered):
            if count > 1:
                together = self._records.latency_s[i, self._called[i][:count]]
                waited[i] -= together.sum() - together.max()
        return waited


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Play:
    """What is to be replayed. `done`: called after each query; `forget`: drops what was kept of it.

    `slow`: what a labeller said of the queries, None where none did.
    `weights`: settings of the dial, in the order that `flow_of` counts them.
    """

    policy: str
    weights: tuple[float, ...]
    flow_of: FlowOf
    forget: Callable[[], None]
    done: Callable[[int], None]
    slow: SlowRecords | None = None


def play(records: Records, plan: Play) -> tuple[Run, ...]:
    """Replay every query at every setting: one `Run` for each setting.

    All settings of a query follow each other, so that what is read of its answers is read once.
    """
    recorded = RecordedAnswers(records, plan.slow)
    sheets = [_Sheet(records) for _ in plan.weights]
    for i in range(len(records.queries)):
        for w, sheet in enumerate(sheets):
            try:
                sheet.add(run(plan.flow_of(i, w), recorded))
            except NoCandidate:  # nobody may serve this query: told as a row without a model
                sheet.skip()
        recorded.forget()
        plan.forget()
        plan.done(i + 1)
    pairs = zip(sheets, plan.weights, strict=True)
    return tuple(sheet.run(plan.policy, weight) for sheet, weight in pairs)
