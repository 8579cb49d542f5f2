"""From a table of recorded answers to an artifact: what it knows, says of itself, and refuses."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.lab.recorded import recorded

from emafusion.domain.errors import BadInput
from emafusion.lab.fitting import Wish, content_hash, fit
from emafusion.lab.labels import granted, parse_labels
from emafusion.replay.tasks import Tasks
from emafusion.store.artifact import load_default


def test_an_artifact_knows_who_is_good_at_what() -> None:
    """The table of tasks holds the means, the card what was learned from and what it is worth."""
    artifact = fit(recorded(), Wish(name="made"))
    tasks = Tasks.from_arrays(artifact.arrays)
    assert tasks is not None
    row = tasks.names.index("history")
    assert tasks.models[int(np.nanargmax(tasks.score[row]))] == "scholar"
    card = artifact.card
    assert card.models == ("clerk", "dear", "scholar")
    assert (card.sources[0].queries, card.sources[0].rows) == (400, 1200)
    assert (card.labels, card.datasets) == ("400 labelled queries", {"history": 200, "sums": 200})
    assert card.figures["held out/points over best single at its cost"] > 5


def test_the_same_table_makes_the_same_arrays_in_any_order() -> None:
    """Fitting draws nothing that is not seeded; the hash does not depend on the order of rows."""
    frame = recorded(60)
    one, other = fit(frame), fit(frame.reverse())
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])
    assert content_hash(frame) == content_hash(frame.reverse())
    assert content_hash(frame) != content_hash(frame.head(10))


def test_labels_that_are_not_granted_are_never_read() -> None:
    """With `none` neither score nor gold matters; with N those of the others do not."""
    frame = recorded(60)
    spoiled = frame.with_columns(score=1 - pl.col("score"), gold=pl.lit("spoiled"))
    one, other = fit(frame, Wish(labels="none")), fit(spoiled, Wish(labels="none"))
    assert one.card.sources == other.card.sources
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])
    some = granted(frame, 20, seed=3)
    assert some.filter(pl.col("score").is_not_null())["query_id"].n_unique() == 20


def test_without_labels_models_are_still_told_apart() -> None:
    """Agreement of three models ranks them by kind of work, and the card calls it relative."""
    artifact = fit(recorded(), Wish(labels="none"))
    tasks = Tasks.from_arrays(artifact.arrays)
    assert tasks is not None
    assert any("relative" in caveat for caveat in artifact.card.caveats)
    assert artifact.card.figures == {}


def graded(frame: pl.DataFrame, *, blind: bool) -> pl.DataFrame:
    """Grades of 0 to 10 by a judge that sees what is right, or by one that does not."""
    right = pl.col("score") if not blind else pl.lit(0.5)
    return frame.select(
        "query_id", "model", judge=pl.lit("reader"), repeat=pl.lit(0), judge_score=2 + 6 * right,
        cost_usd=pl.lit(0.001),
    )  # fmt: skip


def test_a_judge_is_taken_for_what_its_grades_were_worth() -> None:
    """The panel learns a steep curve for one that sees, a flat one for one that does not."""
    frame = recorded(60)
    steep, flat = (
        fit(frame, judges=graded(frame, blind=blind)).arrays["panel/curve/llm:reader"]
        for blind in (False, True)
    )
    assert steep.shape[0] == flat.shape[0] == 2
    assert np.ptp(steep[1]) > 2.0
    assert np.ptp(flat[1]) < 0.1


def test_grades_are_not_measured_against_labels_that_may_not_be_read() -> None:
    """Without labels judges are weighed by what they have in common, whatever the scores are."""
    frame = recorded(60)
    judges = graded(frame, blind=False)
    spoiled = frame.with_columns(score=1 - pl.col("score"))
    one, other = (fit(each, Wish(labels="none"), judges=judges) for each in (frame, spoiled))
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])
    assert "panel/relative" in one.arrays
    assert "panel/relative" not in fit(frame, judges=judges).arrays
    assert any("weighs the same" in caveat for caveat in one.card.caveats)


def test_a_conversation_is_learned_from_by_its_last_question() -> None:
    """Messages in place of a prompt are read as the gateway reads them."""
    frame = recorded(60)
    told = pl.format('[{{"role": "user", "content": "{}"}}]', "prompt")
    spoken = frame.with_columns(messages=told, prompt=pl.lit(None, pl.String))
    one, other = fit(frame), fit(spoken)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])


def test_the_panel_is_fitted_on_the_answers_and_only_where_there_are_labels() -> None:
    """With labels its weights are those of this table, without they stay as they were shipped."""
    frame = recorded(200)
    shipped = load_default()
    assert shipped is not None
    own, without = (
        fit(frame, Wish(labels=labels)).arrays["panel/forms"] for labels in ("all", "none")
    )
    assert not np.array_equal(own, shipped.arrays["panel/forms"])
    np.testing.assert_array_equal(without, shipped.arrays["panel/forms"])


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (recorded(4).clear(), "has no rows"),
        (recorded(4).with_columns(score=pl.lit(None, pl.Float64)), "has no scores: label some"),
        (recorded(1), "at least 2 queries"),
        (recorded(4).with_columns(score=pl.lit(7.0)), "not between 0 and 1"),
        (recorded(4).with_columns(dataset=pl.lit("RouterArena/x")), "for testing only"),
        (recorded(4).with_columns(dataset=pl.lit("my routerarena")), "for testing only"),
    ],
)
def test_what_cannot_be_learned_from_is_one_clear_line(frame: pl.DataFrame, says: str) -> None:
    """Each with what is wrong and where."""
    with pytest.raises(BadInput, match=says):
        fit(frame)


@pytest.mark.parametrize(
    "frame",
    [
        recorded(40).filter(pl.col("model") == "dear"),
        recorded(40).with_columns(score=pl.lit(1.0)),
        recorded(40).with_columns(cost_usd=pl.lit(None, pl.Float64)),
        recorded(40).with_columns(dataset=pl.lit(None, pl.String)),
        pl.concat([recorded(40), recorded(40)]),
        recorded(40).with_columns(
            prompt=pl.lit("ما هي عاصمة فرنسا؟ 日本の首都は? ") + pl.col("prompt")
        ),
        recorded(2),
    ],
    ids=[
        "one model",
        "all right",
        "no cost",
        "no data set",
        "doubled",
        "any script",
        "two queries",
    ],
)
def test_thin_tables_still_make_a_sound_artifact(frame: pl.DataFrame) -> None:
    """Every array finite where it must be, whatever is missing."""
    artifact = fit(frame)
    for name, array in artifact.arrays.items():
        if array.dtype.kind == "f" and not name.endswith("_or_nan"):
            assert np.isfinite(array.astype(np.float64)).all(), name


def test_without_labels_it_takes_three_models_and_comparable_answers() -> None:
    """Two models that differ say nothing of who is right; nor do answers nobody can compare."""
    two = recorded(20).filter(pl.col("model") != "dear")
    with pytest.raises(BadInput, match="at least 3 models"):
        fit(two, Wish(labels="none"))
    apart = recorded(60).with_columns(query_id=pl.col("query_id") + pl.col("model"))
    with pytest.raises(BadInput, match="no two answers to one query"):
        fit(apart, Wish(labels="none"))


@pytest.mark.parametrize("text", ["some", "-3", "0", "1.5", ""])
def test_labels_are_all_none_or_a_number(text: str) -> None:
    """Anything else is a clear line."""
    with pytest.raises(BadInput, match="all, none nor a number"):
        parse_labels(text)
