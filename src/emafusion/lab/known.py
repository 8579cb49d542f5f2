"""What was learned before a replay, and what one would have called by its means alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

import numpy as np

from emafusion.build.parts import Learned, learned_from
from emafusion.domain.features import Floats, Ints
from emafusion.domain.ports import Judge
from emafusion.estimate.names import canonical
from emafusion.replay.records import Records
from emafusion.replay.summary import BEST_FITTED, TASK_FITTED
from emafusion.replay.tasks import ALL, Tasks
from emafusion.store.artifact import Artifact


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What was learned before a replay.

    `tasks`: means by task, None where there are none; `judges`: those whose grades were recorded.
    """

    learned: Learned
    tasks: Tasks | None = None
    judges: tuple[Judge, ...] = ()


def known_from(artifact: Artifact | None) -> Known:
    """What an artifact knows; stated priors for None."""
    tasks = None if artifact is None else Tasks.from_arrays(artifact.arrays)
    return Known(learned=learned_from(artifact), tasks=tasks)


def fitted_baselines(records: Records, known: Known) -> dict[str, Ints]:
    """What one would have called by the means of what was fitted on: columns by role, int64[n].

    Models that are not in the table or not known are passed over.
    """
    names = [canonical(name) for name in records.models]
    tasks = known.tasks
    if tasks is None:
        router = known.learned.router
        worth = dict(zip(router.models, router.ability.tolist(), strict=True))
        means = np.array([[worth.get(name, nan) for name in names]] * len(records.queries))
        return _picked({BEST_FITTED: means}, records)
    overall, _ = tasks.spread((ALL,) * len(records.queries), names)
    by_task, _ = tasks.spread(records.datasets, names)
    return _picked({BEST_FITTED: overall, TASK_FITTED: by_task}, records)


def _picked(means: Mapping[str, Floats], records: Records) -> dict[str, Ints]:
    """The column of the greatest mean of each query among the models that were asked."""
    asked = records.asked
    return {
        role: np.where(asked & np.isfinite(each), each, -np.inf).argmax(axis=1)
        for role, each in means.items()
        if (asked & np.isfinite(each)).any(axis=1).all()
    }
