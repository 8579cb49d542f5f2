"""Pictures: lines that run as draws by lot run, names that stay inside, axes for any money."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab.recorded import recorded
from tests.replay_report.reports import records, report, reported, runs_of

from emafusion.replay.comparison import summarize
from emafusion.replay.report.collect import mixes, report_of, sha256_of
from emafusion.replay.report.drawing import svg
from emafusion.replay.report.figures import Head, Report
from emafusion.replay.report.limits import limits
from emafusion.replay.report.pictures.all import NARROW, WIDE, specs
from emafusion.replay.report.pictures.labels import LETTER, Spot, place
from emafusion.replay.report.pictures.path import STEPS, between

COSTS = st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=6, unique=True).map(sorted)
WIDTH = 300.0


@given(COSTS, st.booleans())
def test_a_line_goes_through_its_corners(costs: list[float], is_log: bool) -> None:  # noqa: FBT001 - drawn
    """Every setting is on it, and between two it never leaves what lies between them."""
    corners = [(usd, float(nth % 3)) for nth, usd in enumerate(costs)]
    path = between(corners, is_log=is_log)
    assert path[::STEPS] == [pytest.approx(corner) for corner in corners]
    assert all(a[0] <= b[0] * (1 + 1e-9) for a, b in pairwise(path))
    assert all(-1e-9 <= y <= 2 + 1e-9 for _, y in path)


def test_a_draw_by_lot_bends_on_a_logarithmic_scale() -> None:
    """Half way between 1 and 100 dollars of a draw is 50.5, which is far to the right."""
    path = between([(1.0, 0.0), (100.0, 1.0)], is_log=True)
    x, y = path[STEPS // 2]
    assert x == pytest.approx(10.0)
    assert y == pytest.approx(9 / 99)


@given(st.lists(st.tuples(st.floats(0, WIDTH), st.floats(0, 200)), min_size=1, max_size=6))
def test_names_stay_inside(points: list[tuple[float, float]]) -> None:
    """No name leaves the picture to the left or right, where it is short enough to fit at all."""
    spots = [Spot(x=x, y=y, text="best single") for x, y in points]
    for where in place(spots, [], width=WIDTH):
        length = len("best single") * LETTER
        left = where.x if where.align == "left" else where.x - length
        assert left >= 0
        assert left + length <= WIDTH


def repriced(**usd: float) -> Report:
    """A report in which these models cost so much."""
    price = pl.col("cost_usd")
    for name, value in usd.items():
        price = pl.when(pl.col("model") == name).then(value).otherwise(price)
    return reported(records(recorded(240).with_columns(cost_usd=price)))


def test_what_is_free_has_a_place_on_a_linear_scale() -> None:
    """A logarithm has no nought: then there is one scale, and nothing to choose from."""
    made = repriced(clerk=0.0)
    assert "curve-linear" not in specs(made)
    assert "'log'" not in str(specs(made)["curve"])
    assert "clerk; " in svg(specs(made)["curve"], name="curve")


def test_equal_costs_are_no_empty_axis() -> None:
    """Where all models cost the same there is still a picture."""
    made = repriced(clerk=0.002, scholar=0.002, dear=0.002)
    for width in (WIDE, NARROW):
        for name, spec in specs(made, width=width).items():
            assert "NaN" not in svg(spec, name=name)


def test_the_mix_goes_along_the_hull_of_single_models() -> None:
    """From the cheapest to the best; a model under the hull is no corner."""
    names = [mark.name for mark in mixes(records(recorded(300))).marks]
    assert names[0] == "clerk"
    assert set(names) <= {"clerk", "scholar", "dear"}


def test_another_policy_has_a_line_and_its_name() -> None:
    """Beside the dial, with its settings as points."""
    found = records(recorded(300))
    runs = runs_of(found)
    made = report_of(
        found,
        runs,
        summarize(found, runs),
        head=Head(table="t", artifact="a", version="0", date="2026-01-01", seed=0),
        kinds=("dataset", found.datasets),
        others={"paper": runs},
    )
    drawn = svg(specs(made)["curve"], name="curve")
    assert drawn.count('aria-label="paper; quality_weight') == 3
    assert ">paper</text>" in drawn


def test_equal_tables_have_equal_digits() -> None:
    """And one changed score changes them."""
    frame = recorded(50)
    assert sha256_of(records(frame)) == sha256_of(records(recorded(50)))
    other = frame.with_columns(score=pl.lit(0.5))
    assert sha256_of(records(frame)) != sha256_of(records(other))


def test_the_box_says_what_is_missing() -> None:
    """What no replay shows, and what this one does not."""
    told = " ".join(limits(report()))
    assert "another fit, other prices" in told
    assert "chosen on these very queries" in told
    assert "Prices are those of the day of recording." in told
