"""Leave one data set out: what the policy is worth on work of a kind that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Ints
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.joining import put_together
from emafusion.lab.known import Known, known_from
from emafusion.lab.replaying import Asked, Replayed, replay_known
from emafusion.learn.groups import family_groups, folds_of
from emafusion.replay.grades import judges_of
from emafusion.replay.records import WHERE, Bools, Records, records_of
from emafusion.tables.query import query_of

if TYPE_CHECKING:
    import polars as pl

MOST_FITS = 12
"""More data sets than this are left out in so many groups of whole ones."""


def transfer(
    frame: pl.DataFrame,
    asked: Asked | None = None,
    *,
    judges: pl.DataFrame | None = None,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> Replayed:
    """Fit without each data set, and replay on it: one run over all queries.

    `judges`: a judge table; `done`: told how many queries of how many are done. Raises `BadInput`
    where the table names fewer than two data sets or has no scores.
    """
    asked = Asked() if asked is None else asked
    records = records_of(frame, query_of, models=asked.models)
    parts = _parts(records, seed=asked.seed)
    replays: list[tuple[Ints, Replayed]] = []
    for part in range(int(parts.max()) + 1):
        here = parts == part
        known = _fitted(frame, records, ~here, judges=judges, seed=asked.seed)
        replays.append((np.flatnonzero(here), replay_known(records.take(here), known, asked)))
        done(sum(len(places) for places, _ in replays), len(parts))
    return replace(put_together(records, replays), strangers=())


def _parts(records: Records, *, seed: int) -> Ints:
    """The part that each query is left out with: int64[n], whole data sets."""
    if not records.is_scored:
        raise BadInput("--transfer needs the column score, which is empty", where=WHERE)
    families = family_groups(records.datasets)
    known = int(families.max()) + 1
    if known < 2:
        raise BadInput("--transfer needs at least two data sets, there is one", where=WHERE)
    return families if known <= MOST_FITS else folds_of(families, MOST_FITS, seed=seed)


def _fitted(
    frame: pl.DataFrame, records: Records, rest: Bools, *, judges: pl.DataFrame | None, seed: int
) -> Known:
    """What is learned from the rest alone, and the grades of all."""
    import polars as pl

    places: list[int] = np.flatnonzero(rest).tolist()
    kept = [records.queries[i].query_id for i in places]
    rows = frame.filter(
        pl.col("query_id").is_in(kept) & pl.col("model").is_in(list(records.models))
    )
    known = known_from(fit(rows, Wish(seed=seed), judges=judges))
    graded = () if judges is None else judges_of(judges, records)
    return replace(known, judges=graded)
