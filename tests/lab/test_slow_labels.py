"""Slow labels that were recorded: how far they are believed, and what a replay does with them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.lab.recorded import recorded

from emafusion.build.parts import learned_from
from emafusion.domain.errors import BadInput
from emafusion.encode.taxonomy import TASKS
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.replaying import Asked, replay
from emafusion.lab.slow_labels import read_slow_labels
from emafusion.replay.labelled import SaidOfQuery, SlowRecords


def said(task: str, sure: int = 95) -> str:
    """A labeller's reply."""
    rest = {"depth": ["depth_1", 60], "domain": ["history", 60], "format": ["prose", 60]}
    return json.dumps({"task": [task, sure], **rest})


def table(path: Path, *, right: bool, queries: int = 60) -> Path:
    """Slow labels of a table's queries, all right or all wrong, with the truth beside them."""
    tasks = [TASKS[i % 3] for i in range(queries)]
    wrong = [TASKS[(i + 5) % 16] for i in range(queries)]
    rows = pl.DataFrame(
        {
            "query_id": [f"q{i}" for i in range(queries)],
            "response": [said(task) for task in (tasks if right else wrong)],
            "model": "labeller", "cost_usd": 1e-5, "latency_s": 0.4, "task": tasks,
        }
    )  # fmt: skip
    rows.write_ndjson(path)
    return path


def test_labels_that_are_right_are_believed_and_wrong_ones_are_not(tmp_path: Path) -> None:
    """The weight is fitted by axis, kept in the artifact, told on the card, and served with."""
    trust: dict[bool, float] = {}
    for right in (True, False):
        slow = read_slow_labels(table(tmp_path / f"{right}.jsonl", right=right))
        artifact = fit(recorded(60), Wish(slow=slow))
        found = learned_from(artifact).trust
        assert set(found) == {"task"}
        assert artifact.card.figures["weight of slow labels/task"] == found["task"]
        trust[right] = found["task"]
    assert trust[True] > 0.9
    assert trust[False] < trust[True] - 0.1


def test_too_few_truths_leave_the_weight_as_it_is_stated(tmp_path: Path) -> None:
    """Nineteen labelled queries tell nothing yet."""
    slow = read_slow_labels(table(tmp_path / "few.jsonl", right=True, queries=19))
    assert learned_from(fit(recorded(60), Wish(slow=slow))).trust == {}


def test_a_replay_asks_the_labeller_that_was_recorded_and_counts_its_cost() -> None:
    """Whoever is asked costs what was recorded; without a record all is as before."""
    frame = recorded(60)
    artifact = fit(frame)
    labels = {f"q{i}": SaidOfQuery(text=said("maths"), cost_usd=0.0, latency_s=0.1)
              for i in range(60)}  # fmt: skip
    slow = SlowRecords(model="labeller", said=labels)
    wanted = Asked(policy="router", quality_weights=(0.5,))
    plain = replay(frame, artifact, wanted)
    told = replay(frame, artifact, Asked(policy="router", quality_weights=(0.5,), slow=slow))
    assert np.isfinite(told.runs[0].cost_usd).all()
    assert (told.runs[0].model >= 0).all()
    nothing = Asked(policy="router", quality_weights=(0.5,), slow=SlowRecords(model="labeller"))
    np.testing.assert_array_equal(
        replay(frame, artifact, nothing).runs[0].model, plain.runs[0].model
    )


def test_a_table_that_is_none_says_why(tmp_path: Path) -> None:
    """Another kind of file, a column too few, a class that is none."""
    with pytest.raises(BadInput, match=r"is none of \.parquet"):
        read_slow_labels(tmp_path / "labels.txt")
    with pytest.raises(BadInput, match="cannot be read"):
        read_slow_labels(tmp_path / "absent.parquet")
    pl.DataFrame({"query_id": ["q"]}).write_parquet(tmp_path / "bare.parquet")
    with pytest.raises(BadInput, match="no column response"):
        read_slow_labels(tmp_path / "bare.parquet")
    odd = pl.DataFrame({"query_id": ["q"], "response": ["{}"], "task": ["singing"]})
    odd.write_parquet(tmp_path / "odd.parquet")
    with pytest.raises(BadInput, match="task 'singing' of query q is none of"):
        read_slow_labels(tmp_path / "odd.parquet")
