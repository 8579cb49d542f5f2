"""Candidates matched to what is known of their models, made once a pool and kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats, Ints
from emafusion.domain.model import Candidate, Model
from emafusion.domain.ports import Pricer
from emafusion.estimate.arrays import TASKS, Float32s
from emafusion.estimate.cost import Rates, rates_of
from emafusion.estimate.names import canonical, line_of
from emafusion.estimate.prior import Expected, expect
from emafusion.estimate.state import RouterState

SIBLING_SD = 0.4
"""Standard deviation, in logits, between versions of one line of models."""

FEWEST_OF_TASK = 5.0
"""Recorded answers from which on a program counts as doing a kind of task."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roster:
    """A pool as arrays, in the order of its candidates.

    `rows`: int64[n], row of the model's record, -1 if none; `ability`, `ability_sd`: float64[n];
    `basis`: for each without a record, what its ability rests on; `leaves`, `by_class`, `loadings`,
    `habits`, `class_lengths`: its shares of the views and of lengths, neutral without a record;
    `lines`, `cpu`: float64[n, 3]; `rates`: float64[4, n], US dollars a call, prompt token,
    completion token, CPU second; `latency_s`: NaN if not stated; `reach`: float64[n, 16], 0 for a
    recorded program on tasks that it never answered, else 1.
    """

    candidates: tuple[Candidate, ...]
    names: tuple[str, ...]
    rows: Ints
    ability: Floats
    ability_sd: Floats
    basis: tuple[str, ...]
    leaves: Float32s
    loadings: Floats
    by_class: Floats
    class_lengths: Floats
    habits: Floats
    lines: Floats
    cpu: Floats
    rates: Floats
    latency_s: Floats
    reach: Floats

    @property
    def recorded(self) -> npt.NDArray[np.bool_]:
        """bool[n]: whether the model's own outcomes are known."""
        return self.rows >= 0


def make_roster(
    state: RouterState,
    pricer: Pricer,
    candidates: tuple[Candidate, ...],
    *,
    recorded_costs: bool = False,
) -> Roster:
    """Match a pool to the records.

    `recorded_costs`: let a candidate without a price cost what its recorded answers did.
    """
    by_name = {name: row for row, name in enumerate(state.models)}
    rows = np.array([_row(by_name, c.model) for c in candidates], np.int64)
    expected = [
        _recorded(state, row) if row >= 0 else _unrecorded(state, c.model)
        for row, c in zip(rows.tolist(), candidates, strict=True)
    ]
    pairs = list(zip(rows.tolist(), candidates, strict=True))
    return Roster(
        candidates=candidates,
        names=tuple(c.name for c in candidates),
        rows=rows,
        ability=np.array([e.ability for e in expected]),
        ability_sd=np.array([e.sd for e in expected]),
        basis=tuple(e.basis for e in expected),
        leaves=_pick(state.table.leaves, rows).astype(np.float32),
        loadings=_pick(state.loadings, rows),
        by_class=_pick(state.classes.values, rows),
        class_lengths=1 + _pick(state.classes.lengths - 1, rows),
        habits=_pick(state.lengths.habits, rows),
        lines=np.array([state.lengths.line_for(row, c) for row, c in pairs]).reshape(-1, 3),
        cpu=np.array([state.lengths.cpu_for(row, c) for row, c in pairs]).reshape(-1, 3),
        rates=_rates(
            [
                _recorded_rates(state, row)
                if recorded_costs and row >= 0 and c.model.price is None
                else rates_of(pricer, c.model.price)
                for row, c in pairs
            ]
        ),
        latency_s=np.array([_or_nan(c.latency_s) for c in candidates], np.float64),
        reach=np.array([_reach(state, row, c.model) for row, c in pairs]).reshape(-1, TASKS),
    )


def _row(by_name: dict[str, int], model: Model) -> int:
    """Row of a model's record, -1 if it has none."""
    return by_name.get(canonical(model.name), -1)


def _recorded(state: RouterState, row: int) -> Expected:
    """What is known of a recorded model."""
    return Expected(float(state.ability[row]), float(state.ability_sd[row]), "")


def _unrecorded(state: RouterState, model: Model) -> Expected:
    """What is expected of a model without outcomes: another version of it, else the prior."""
    line = line_of(model.name)
    rows = [row for row, name in enumerate(state.models) if line_of(name) == line]
    if not rows:
        return expect(state.prior, model)
    latest = max(rows, key=lambda row: state.models[row])
    basis = f"prior: another version, {state.models[latest]}"
    return Expected(float(state.ability[latest]), SIBLING_SD, basis)


def _reach(state: RouterState, row: int, model: Model) -> Floats:
    """Tasks that a candidate can be expected to answer at all: a program does only its own."""
    if model.kind == "language" or row < 0:
        return np.ones(TASKS)
    return np.where(state.table.outcomes[row] >= FEWEST_OF_TASK, 1.0, 0.0)


def within_reach(share: Floats) -> Floats:
    """How far a program may be expected to answer at all, by the probability of its tasks: 0..1.

    Odds are squared: a small chance that a query is of its kind is no reason to try it, for then it
    can only decline. Whoever does everything has 1 and keeps it.

    >>> within_reach(np.array([0.07, 0.5, 0.9, 1.0])).round(3).tolist()
    [0.006, 0.5, 0.988, 1.0]
    """
    known, other = share**2, (1.0 - share) ** 2
    return known / (known + other)


def _pick(table: npt.NDArray[np.floating], rows: Ints) -> Floats:
    """Rows of a table, zeros for -1."""
    picked = np.zeros((len(rows), table.shape[1]))
    picked[rows >= 0] = table[rows[rows >= 0]]
    return picked


def _recorded_rates(state: RouterState, row: int) -> Rates:
    """Rates learned from what a model's recorded answers cost."""
    call, prompt, completion = state.costs[row].tolist()
    return Rates(call=call, prompt=prompt, completion=completion, cpu_s=0.0)


def _rates(rates: list[Rates]) -> Floats:
    """float64[4, n]."""
    columns = [[r.call, r.prompt, r.completion, r.cpu_s] for r in rates]
    return np.array(columns, np.float64).reshape(-1, 4).T


def _or_nan(value: float | None) -> float:
    """NaN for None."""
    return float("nan") if value is None else value
