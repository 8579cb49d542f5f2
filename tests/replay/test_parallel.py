"""A replay on several processors is the same replay."""

from __future__ import annotations

import pytest

pytest.importorskip("polars")

from tests.replay.recorded_table import frame_of, rows_of

from emafusion.lab.known import known_from
from emafusion.lab.parallel import Parting, processes_for, replay_apart
from emafusion.lab.replaying import Asked, replay_known
from emafusion.replay.decisions import decisions_of
from emafusion.replay.records import Records, records_of
from emafusion.tables.query import query_of


@pytest.fixture
def records() -> Records:
    """Thirty queries."""
    return records_of(frame_of(rows_of(30, mean_logprob=-0.1)), query_of)


def test_the_decisions_are_the_same(records: Records) -> None:
    """To the last column, in the same order, and so is all that is told beside them."""
    asked = Asked(policy="hybrid", quality_weights=(0.2, 0.9))
    alone = replay_known(records, known_from(None), asked)
    told: list[int] = []
    apart = replay_apart(
        records,
        None,
        asked,
        parting=Parting(processes=2),
        done=lambda count, _all: told.append(count),
    )
    one, other = (decisions_of(each.records, each.runs) for each in (alone, apart))
    assert one.equals(other)
    assert apart.classes == alone.classes
    assert apart.strangers == alone.strangers
    assert told[-1] == 30


def test_small_and_indivisible_replays_stay_in_one_process(records: Records) -> None:
    """Starting a process costs more than thirty queries; the oracle's dial is set by all."""
    assert processes_for(records, Asked(policy="hybrid"), 8) == 1
    many = Asked(policy="oracle", quality_weights=tuple(i / 1e5 for i in range(100_000)))
    assert processes_for(records, many, 8) == 1
    assert processes_for(records, Asked(quality_weights=many.quality_weights), 8) == 8
