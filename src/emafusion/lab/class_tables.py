"""Tables of classes against models, as an artifact holds them: for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.encode.taxonomy import TASKS
from emafusion.estimate.arrays import Arrays, floats, words
from emafusion.estimate.names import canonical
from emafusion.replay.tasks import ALL, Tasks

Holds = Literal["score", "gain"]
"""`score`: mean score, 0..1; `gain`: mean score less what ability and difficulty predict."""

FEWEST = 10.0
"""Recorded answers below which nothing is told of a class."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassTable:
    """K classes against m models.

    `name`: of the kind of classes; `values`: float64[K, m], NaN where nothing was recorded;
    `outcomes`: float64[K, m], recorded answers, NaN where their number is not known; `level`:
    float64[m], what the values come on top of: 0 for scores, the score on a query of average
    difficulty for gains.
    """

    name: str
    holds: Holds
    classes: tuple[str, ...]
    models: tuple[str, ...]
    values: Floats
    outcomes: Floats
    level: Floats

    @property
    def expected(self) -> Floats:
        """Score of a query of average difficulty, float64[K, m] in 0..1, NaN where unknown."""
        return np.clip(self.level + self.values, 0.0, 1.0)

    def only(self, models: Sequence[str]) -> ClassTable:
        """The columns of some models, in their order; those that it does not have are left out."""
        places = [self.models.index(name) for name in models if name in self.models]
        return replace(
            self,
            models=tuple(self.models[k] for k in places),
            values=self.values[:, places],
            outcomes=self.outcomes[:, places],
            level=self.level[places],
        )

    def ranked(self, row: int) -> list[int]:
        """Models of a class, the one of which most is expected first; those unknown last."""
        order: list[int] = np.argsort(-self.values[row] - self.level, kind="stable").tolist()
        return order


def class_tables(arrays: Arrays) -> tuple[ClassTable, ...]:
    """Every table of an artifact: scores by data set, learned classes, tasks of the taxonomy.

    Raises:
        BadInput: arrays that do not fit together.
    """
    found = (make(arrays) for make in (_by_dataset, _by_class, _by_task))
    return tuple(table for table in found if table is not None and table.classes)


def chosen(tables: Sequence[ClassTable], names: Sequence[str]) -> tuple[ClassTable, ...]:
    """The columns of some models, however their names are spelled.

    Raises:
        BadInput: a name that no table has.
    """
    known = {model for table in tables for model in table.models}
    wanted = [canonical(name) for name in names]
    for name, spelled in zip(names, wanted, strict=True):
        if spelled not in known:
            near = get_close_matches(spelled, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise BadInput(f"no outcome of '{name[:80]}'{hint}", where="--models")
    return tuple(table for table in (each.only(wanted) for each in tables) if table.models)


def _by_dataset(arrays: Arrays) -> ClassTable | None:
    """Mean scores by data set, and over all."""
    tasks = Tasks.from_arrays(arrays)
    if tasks is None:
        return None
    return ClassTable(
        name="data set",
        holds="score",
        classes=tuple("all" if name == ALL else name for name in tasks.names),
        models=tasks.models,
        values=tasks.score,
        outcomes=_outcomes(tasks, _by_class(arrays), arrays),
        level=np.zeros(len(tasks.models)),
    )


def _outcomes(tasks: Tasks, classes: ClassTable | None, arrays: Arrays) -> Floats:
    """Recorded answers of each data set, where the router has counted them by that name."""
    counts = np.full(tasks.score.shape, np.nan)
    models = _models(arrays)
    columns = [(k, models.index(name)) for k, name in enumerate(tasks.models) if name in models]
    if not columns:
        return counts
    own, others = (list(each) for each in zip(*columns, strict=True))
    counts[0, own] = floats(arrays, "router/outcomes", (len(models),))[others]
    for row, name in enumerate(tasks.names):
        if classes is not None and row and name in classes.classes:
            counts[row, own] = classes.outcomes[classes.classes.index(name), others]
    return counts


def _by_class(arrays: Arrays) -> ClassTable | None:
    """Gains by the classes that the router learned: data sets by name, or clusters."""
    if "router/classes/names" not in arrays:
        return None
    names, models = words(arrays, "router/classes/names"), _models(arrays)
    shape = len(models), len(names)
    return _known_where_recorded(
        ClassTable(
            name="learned class",
            holds="gain",
            classes=tuple(name or f"cluster {i}" for i, name in enumerate(names, start=1)),
            models=models,
            values=floats(arrays, "router/classes/values", shape).T,
            outcomes=floats(arrays, "router/classes/outcomes", shape).T,
            level=_level(arrays, len(models)),
        )
    )


def _by_task(arrays: Arrays) -> ClassTable | None:
    """Gains by the tasks of the taxonomy, as the mean over their cells."""
    if "router/table/leaves" not in arrays:
        return None
    models = _models(arrays)
    leaves = floats(arrays, "router/table/leaves", (len(models), -1))
    whole = _known_where_recorded(
        ClassTable(
            name="task",
            holds="gain",
            classes=TASKS,
            models=models,
            values=leaves.reshape(len(models), len(TASKS), -1).mean(axis=2).T,
            outcomes=floats(arrays, "router/table/outcomes", (len(models), len(TASKS))).T,
            level=_level(arrays, len(models)),
        )
    )
    return _without_empty(whole)


def _known_where_recorded(table: ClassTable) -> ClassTable:
    """Without values where hardly anything stands behind them: labels are soft, counts are sums."""
    return replace(table, values=np.where(table.outcomes >= FEWEST, table.values, np.nan))


def _without_empty(table: ClassTable) -> ClassTable:
    """The classes of which anything is known."""
    rows = [row for row, values in enumerate(table.values) if np.isfinite(values).any()]
    return replace(
        table,
        classes=tuple(table.classes[row] for row in rows),
        values=table.values[rows],
        outcomes=table.outcomes[rows],
    )


def _level(arrays: Arrays, n_models: int) -> Floats:
    """Score of each model on a query of average difficulty: float64[n_models]."""
    return np.asarray(1.0 / (1.0 + np.exp(-floats(arrays, "router/ability", (n_models,)))))


def _models(arrays: Arrays) -> tuple[str, ...]:
    return words(arrays, "router/models") if "router/models" in arrays else ()
