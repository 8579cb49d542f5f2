"""What holds for any table: the three formats say the same, and no bytes are a traceback."""

from __future__ import annotations

import string
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.tables.making import GOOD, jsonl

from emafusion.domain.errors import BadInput
from emafusion.tables.columns import OUTCOMES
from emafusion.tables.draft import Draft
from emafusion.tables.read import read_outcomes

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMED = st.text(string.ascii_letters + string.digits + " ,\"'\n-/.", min_size=1, max_size=8).filter(
    str.strip
)
AMOUNT = st.none() | st.floats(min_value=0, max_value=1e6)
COUNT = st.none() | st.integers(min_value=0, max_value=2**53)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "query_id": NAMED,
            "prompt": TEXT.filter(bool),
            "dataset": st.none() | TEXT,
            "model": NAMED,
            "response": st.none() | TEXT,
            "answer": st.none() | TEXT,
            "score": st.none() | st.floats(min_value=0, max_value=1),
            "gold": st.none() | TEXT,
            "prompt_tokens": COUNT,
            "completion_tokens": COUNT,
            "cost_usd": AMOUNT,
            "latency_s": AMOUNT,
            "mean_logprob": st.none() | st.floats(min_value=-1e6, max_value=0),
            "sample": COUNT,
        }
    ),
    min_size=1,
    max_size=8,
)
RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _written(folder: Path, ending: str, frame: pl.DataFrame) -> pl.DataFrame:
    """What is read of a table that was written with that ending."""
    path = folder / f"table{ending}"
    with Draft(path, OUTCOMES) as draft:
        draft.add(frame)
        draft.finish()
        draft.publish()
    return read_outcomes([path]).frame


@RELAXED
@given(rows=ROWS)
def test_parquet_jsonl_and_csv_give_the_same_table(
    tmp_path: Path, rows: list[dict[str, object]]
) -> None:
    """Quotes, line breaks, empty texts and unknown ones, whole numbers, in every combination."""
    frame = pl.DataFrame(rows, schema=OUTCOMES.schema())
    first = _written(tmp_path, ".parquet", frame)
    for ending in (".jsonl", ".csv"):
        assert_frame_equal(_written(tmp_path, ending, frame), first, check_exact=True)
    assert set(first["query_id"]) == set(frame["query_id"])


@RELAXED
@given(data=st.binary(max_size=300), ending=st.sampled_from([".jsonl", ".csv", ".parquet"]))
def test_any_bytes_give_rows_or_one_clear_line(tmp_path: Path, data: bytes, ending: str) -> None:
    """Never a traceback, with and without --skip-bad."""
    path = jsonl(tmp_path / f"table{ending}", [GOOD])
    path.write_bytes(path.read_bytes() * (ending == ".jsonl") + data)
    for skip_bad in (False, True):
        read = _read(path, skip_bad=skip_bad)
        if isinstance(read, BadInput):
            assert str(read).startswith(str(path))
            assert "\n" not in str(read)
        else:
            assert dict(read.schema) == OUTCOMES.schema()


def _read(path: Path, *, skip_bad: bool) -> pl.DataFrame | BadInput:
    try:
        return read_outcomes([path], skip_bad=skip_bad).frame
    except BadInput as error:
        return error


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@RELAXED
@given(cells=st.dictionaries(st.sampled_from(OUTCOMES.names), JSON, max_size=5))
def test_any_cells_give_a_row_or_a_reason(tmp_path: Path, cells: dict[str, object]) -> None:
    """Whatever type a cell has, next to a good row."""
    path = jsonl(tmp_path / "table.jsonl", [GOOD, {**GOOD, "query_id": "q2", **cells}])
    read = read_outcomes([path], skip_bad=True)
    assert read.frame.height + read.skipped + read.repeats == 2
    if read.skipped:
        with pytest.raises(BadInput, match="line 2: "):
            read_outcomes([path])
