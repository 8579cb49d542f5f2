"""The figures of a replay, on a table whose answers can be counted."""

from __future__ import annotations

import pytest

pytest.importorskip("polars")

from tests.replay.recorded_table import frame_of, rows_of

from emafusion.domain.errors import BadInput
from emafusion.lab.replaying import Asked, replay, summary_of
from emafusion.lab.transfer import transfer
from emafusion.replay.summary import Summary

DIAL = (0.0, 0.5, 1.0)


def summary(rows: list[dict[str, object]], policy: str = "router") -> Summary:
    """Of a replay of these rows."""
    return summary_of(replay(frame_of(rows), None, Asked(policy=policy, quality_weights=DIAL)))


def test_baselines_are_what_they_are_called() -> None:
    """Large is best, small is cheapest, nobody beats the oracle."""
    found = {each.role: each for each in summary(rows_of(84)).baselines}
    assert found["best single"].name == "large"
    assert found["best single"].accuracy == pytest.approx(6 / 7)
    assert found["best single"].cost_usd == pytest.approx(0.001)
    assert found["always cheapest"].name == "small"
    oracle = found["oracle"]
    assert oracle.accuracy is not None
    assert oracle.accuracy > 6 / 7
    assert oracle.cost_usd is not None
    assert oracle.cost_usd < 0.001


def test_the_best_single_model_against_itself_is_nothing() -> None:
    """No gain, at all of its cost, and it recovers the whole gap."""
    point = summary(rows_of(30), "single:large").points[0]
    assert point.over_best is not None
    assert (point.over_best.mean, point.over_best.low, point.over_best.high) == (0, 0, 0)
    assert point.recovered == pytest.approx(1.0)
    assert point.dearest == 1.0
    assert point.models == {"large": 1.0}
    assert point.routes == {"direct": 1.0}


def test_a_random_mix_is_no_better_than_the_random_mix() -> None:
    """A draw between two models lies on the line between them, up to luck."""
    point = summary(rows_of(400), "random-mix:small,large").points[1]
    assert point.over_mix is not None
    assert point.over_mix.low <= 0.0
    assert point.cost_usd == pytest.approx(0.0005, rel=0.2)


def test_without_scores_no_figure_needs_them() -> None:
    """They are absent, not 0."""
    found = summary(rows_of(10, score=None))
    assert found.scored == 0
    assert found.groups == ()
    assert found.equal_share is found.aiq is found.aiq_mix is None
    assert {each.role for each in found.baselines} == {"always cheapest"}
    for point in found.points:
        assert {point.accuracy, point.over_best} == {None}
        assert {point.brier, point.regret} == {None}
        assert point.cost_usd is not None


def test_without_costs_there_is_accuracy() -> None:
    """And no cost, no curve, no budget."""
    found = summary(rows_of(10, cost_usd=None))
    assert found.aiq is found.equal_share is None
    assert all(budget.accuracy is None for budget in found.budgets)
    assert all(point.cost_usd is None and point.accuracy is not None for point in found.points)


def test_all_scores_equal_is_no_contest() -> None:
    """Everybody is right: no gain, no gap, no regret."""
    point = summary(rows_of(10, score=1.0)).points[0]
    assert point.accuracy is not None
    assert point.accuracy.mean == 1.0
    assert point.recovered is None
    assert point.regret == 0.0


def test_groups_cover_every_query_on_every_axis() -> None:
    """By data set and by each axis of the taxonomy."""
    found = summary(rows_of(40))
    axes = {group.axis for group in found.groups}
    assert axes == {"dataset", "task", "depth", "domain", "format"}
    for axis in axes:
        assert sum(group.queries for group in found.groups if group.axis == axis) == 40


def test_transfer_leaves_each_data_set_out() -> None:
    """One run over all queries, with the best single model of the rest as what to beat."""
    asked = Asked(policy="router", quality_weights=(1.0,))
    done = transfer(frame_of(rows_of(60)), asked)
    assert len(done.runs[0].model) == 60
    found = summary_of(done)
    assert {g.name for g in found.groups if g.axis == "dataset"} == {"sums", "doubles"}
    assert {"best single (fit)", "model per task (fit)"} <= {b.role for b in found.baselines}


def test_transfer_needs_data_sets_and_scores() -> None:
    """A clear line for each."""
    with pytest.raises(BadInput, match="at least two data sets"):
        transfer(frame_of(rows_of(6, dataset="one")))
    with pytest.raises(BadInput, match="needs the column score"):
        transfer(frame_of(rows_of(6, score=None)))
