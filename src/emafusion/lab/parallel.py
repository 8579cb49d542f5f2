"""A replay on several processors: queries do not know of each other, so parts of a table may part.

Processes are started afresh, so a program that calls this needs the usual `__main__` guard.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from emafusion.build.replaying import recipe_of
from emafusion.domain.features import Ints
from emafusion.domain.ports import Judge
from emafusion.lab.joining import put_together
from emafusion.lab.known import known_from
from emafusion.lab.replaying import Asked, Replayed, priced, replay_known
from emafusion.replay.grades import judges_of
from emafusion.replay.records import Records, records_of
from emafusion.store.artifact import Artifact
from emafusion.tables.query import query_of

if TYPE_CHECKING:
    import polars as pl

PARTS = 4
"""Parts a process, so that one that has the longer answers is not waited for."""

WORTH = 60_000
"""Decisions below which starting processes costs more than it saves, for one look a query."""

READING = 6
"""How much longer a decision takes that reads answers."""


def replay_quickly(
    frame: pl.DataFrame,
    artifact: Artifact | None,
    asked: Asked,
    *,
    judges: pl.DataFrame | None = None,
    processors: int = 1,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> Replayed:
    """The same as `replay`, on so many processors where the table is worth it."""
    recipe_of(asked.policy)
    records = records_of(frame, query_of, models=asked.models)
    graded = () if judges is None else judges_of(judges, records)
    processes = processes_for(records, asked, processors)
    if processes > 1:
        parting = Parting(judges=graded, processes=processes)
        return replay_apart(records, artifact, asked, parting=parting, done=done)
    known = replace(known_from(artifact), judges=graded)
    return replay_known(records, known, asked, done=done)


def processes_for(records: Records, asked: Asked, processors: int) -> int:
    """How many processes a replay is worth: 1 where it is quick, or where it cannot be parted."""
    recipe = asked.recipe or recipe_of(asked.policy)[0]
    if recipe.rule == "chosen":  # what is chosen beforehand is chosen by all queries together
        return 1
    decisions = len(records.queries) * len(asked.quality_weights)
    work = decisions * (READING if recipe.judged else 1)
    return max(1, min(processors, work // WORTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """How a replay is parted: among `processes` >= 1, each with all recorded grades."""

    judges: tuple[Judge, ...] = ()
    processes: int = 2


def replay_apart(
    records: Records,
    artifact: Artifact | None,
    asked: Asked,
    *,
    parting: Parting,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> Replayed:
    """The same replay as in one process."""
    n = len(records.queries)
    parts = np.array_split(np.arange(n), min(n, PARTS * parting.processes))
    found: dict[int, Replayed] = {}
    with ProcessPoolExecutor(parting.processes, mp_context=get_context("spawn")) as pool:
        numbers = {
            pool.submit(_part, _some(records, part), artifact, asked, judges=parting.judges): k
            for k, part in enumerate(parts)
        }
        for future in as_completed(numbers):
            found[numbers[future]] = future.result()
            done(sum(len(parts[k]) for k in found), n)
    whole = [(part, found[k]) for k, part in enumerate(parts)]
    return put_together(priced(records, asked), whole)


def _some(records: Records, places: Ints) -> Records:
    return records.take(np.isin(np.arange(len(records.queries)), places))


def _part(
    records: Records, artifact: Artifact | None, asked: Asked, *, judges: tuple[Judge, ...]
) -> Replayed:
    """What one process does: it hands back decisions, not the table."""
    known = replace(known_from(artifact), judges=judges)
    done = replay_known(records, known, asked)
    return replace(done, records=records.take(np.zeros(len(records.queries), np.bool_)))
