"""Replays of different queries of one table, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emafusion.domain.features import Ints
from emafusion.lab.replaying import Replayed
from emafusion.replay.records import Records
from emafusion.replay.run import Run, joined


def put_together(records: Records, replays: Sequence[tuple[Ints, Replayed]]) -> Replayed:
    """One replay of all `records`: (places of the queries among all, their replay) each."""
    first = replays[0][1]
    runs: list[Run] = [
        joined([(places, each.runs[w]) for places, each in replays]) for w in range(len(first.runs))
    ]
    order = np.argsort(np.concatenate([places for places, _ in replays]), kind="stable")
    fitted = {
        role: np.concatenate([each.fitted[role] for _, each in replays])[order]
        for role in first.fitted
    }
    classes = {
        axis: tuple(np.concatenate([each.classes[axis] for _, each in replays])[order].tolist())
        for axis in first.classes
    }
    return replace(first, records=records, runs=tuple(runs), fitted=fitted, classes=classes)
