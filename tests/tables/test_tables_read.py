"""Tables as files: what is read, what is converted, and what is told of a bad one."""

from __future__ import annotations

import gzip
import json
import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from tests.tables.making import GOOD, good, jsonl

from emafusion.domain.errors import BadInput
from emafusion.tables.columns import JUDGES, OUTCOMES
from emafusion.tables.read import read_judges, read_outcomes

GRADE = {"query_id": "q1", "model": "small", "judge": "strict", "judge_score": 7}


def _told(path: Path, *, skip_bad: bool = False) -> str:
    with pytest.raises(BadInput) as caught:
        read_outcomes([path], skip_bad=skip_bad)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_column_is_there_with_its_type_and_null_where_the_file_has_none(
    tmp_path: Path,
) -> None:
    """Whoever reads the frame need not ask which columns the file had."""
    frame = read_outcomes([jsonl(tmp_path / "a.jsonl", [GOOD])]).frame
    assert dict(frame.schema) == OUTCOMES.schema()
    assert frame.select("score", "gold", "cost_usd").row(0) == (1.0, None, None)


def test_a_judge_table_has_its_own_columns(tmp_path: Path) -> None:
    """A judge's scale is its own, so grades above 1 are good."""
    frame = read_judges([jsonl(tmp_path / "a.jsonl", [GRADE])]).frame
    assert dict(frame.schema) == JUDGES.schema()
    assert frame["judge_score"].to_list() == [7.0]


def test_several_files_are_one_table(tmp_path: Path) -> None:
    """Sources are joined below each other, whatever each is."""
    first = jsonl(tmp_path / "a.jsonl", [GOOD])
    second = tmp_path / "b.csv"
    second.write_text("query_id,prompt,model,score\nq2,Why?,small,0\n")
    frame = read_outcomes([first, second]).frame
    assert frame["query_id"].to_list() == ["q1", "q2"]


@pytest.mark.parametrize(
    ("said", "score"),
    [(1, 1.0), (0.25, 0.25), ("0.5", 0.5), (True, 1.0), (False, 0.0), (" 1 ", 1.0), ("true", 1.0),
     (None, None), ("", None)],
)  # fmt: skip
def test_a_score_may_be_said_in_several_ways(
    tmp_path: Path, said: object, score: float | None
) -> None:
    """Whole numbers, numbers in quotes and booleans are scores too."""
    frame = read_outcomes([jsonl(tmp_path / "a.jsonl", [good(score=said)])]).frame
    assert frame["score"].to_list() == [score]


def test_types_may_be_mixed_within_a_column(tmp_path: Path) -> None:
    """Each row is read for itself, whatever came before it."""
    rows = [
        good(query_id=number, score=score, prompt_tokens=tokens, gold=gold)
        for number, (score, tokens, gold) in enumerate(
            [(1, 12, "a"), ("0.5", "12", 4), (True, 12.0, [1]), (None, None, 2.5)]
        )
    ]
    frame = read_outcomes([jsonl(tmp_path / "a.jsonl", rows)]).frame
    assert frame["query_id"].to_list() == ["0", "1", "2", "3"]
    assert frame["score"].to_list() == [1.0, 0.5, 1.0, None]
    assert frame["prompt_tokens"].to_list() == [12, 12, 12, None]
    assert frame["gold"].to_list() == ["a", "4", "[1]", "2.5"]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"score": 1.5}, "score must be a number from 0 to 1, got 1.5"),
        ({"score": -0.1}, "score must be a number from 0 to 1, got -0.1"),
        ({"score": "good"}, "score must be a number from 0 to 1, got 'good'"),
        ({"score": "nan"}, "score must be a number from 0 to 1, got nan"),
        ({"score": [1]}, "score must be a number from 0 to 1, got '[1]'"),
        ({"cost_usd": -1}, "cost_usd must be a number, 0 or more, got -1"),
        ({"cost_usd": True}, "cost_usd must be a number, 0 or more, got True"),
        ({"cost_usd": "inf"}, "cost_usd must be a number, 0 or more, got inf"),
        ({"prompt_tokens": 1.5}, "prompt_tokens must be a whole number, 0 or more, got 1.5"),
        ({"completion_tokens": -3}, "completion_tokens must be a whole number, 0 or more, got -3"),
        ({"sample": 10**30}, "sample must be a whole number, 0 or more, got"),
        ({"mean_logprob": 0.5}, "mean_logprob must be a number, 0 or less, got 0.5"),
        ({"query_id": None}, "query_id is empty"),
        ({"model": " "}, "model is empty"),
        ({"prompt": None}, "prompt and messages are both empty"),
        ({"prompt": ""}, "prompt and messages are both empty"),
        ({"messages": "Hello"}, "messages: is not JSON; expected a list of messages"),
        ({"messages": {"a": 1}}, "messages: must be a list of messages, or an object with one"),
        ({"messages": [{"role": "king", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": []}, "messages"),
    ],
)
def test_a_bad_row_is_named_with_line_reason_and_what_would_be_right(
    tmp_path: Path, changed: dict[str, object], what: str
) -> None:
    """One bad row is enough to use nothing; with --skip-bad it is left out and counted."""
    path = jsonl(tmp_path / "a.jsonl", [GOOD, good(**{"query_id": "q2", **changed})])
    told = _told(path)
    assert told.startswith(f"{path}: line 2: {what}")
    assert told.endswith("; --skip-bad leaves out such rows")
    read = read_outcomes([path], skip_bad=True)
    assert (read.frame["query_id"].to_list(), read.skipped) == (["q1"], 1)
    assert next(read.notes()).startswith(f"1 bad row left out: {path}: line 2: {what}")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{", "is not JSON"),
        (b"[1, 2]", "is no JSON object"),
        (b'"text"', "is no JSON object"),
        (b'{"score": NaN}', "NaN and Infinity are not JSON, an unknown number is null"),
        (b'{"a": "\xff"}', "is not UTF-8 (byte 7)"),
        (b"[" * 100_000, "is not JSON"),
        (rb'{"query_id": "\ud800"}', "is not JSON"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: bytes, what: str) -> None:
    """The other lines are read on."""
    path = jsonl(tmp_path / "a.jsonl", [GOOD])
    path.write_bytes(path.read_bytes() + line + b"\n" + json.dumps(good(query_id="q3")).encode())
    told = _told(path)
    assert told.startswith(f"{path}: line 2: ")
    assert what in told
    assert read_outcomes([path], skip_bad=True).frame["query_id"].to_list() == ["q1", "q3"]


def test_only_the_first_bad_rows_are_told_and_the_others_counted(tmp_path: Path) -> None:
    """A thousand bad rows fit into a line."""
    path = jsonl(tmp_path / "a.jsonl", [good(score=2)] * 1000)
    assert "line 3: score must be a number from 0 to 1, got 2; and 997 more bad rows" in _told(path)
    assert f"{path}: every row is bad: {path}: line 1: " in _told(path, skip_bad=True)


def test_a_csv_record_is_named_by_its_first_line(tmp_path: Path) -> None:
    """Also where prompts have line breaks in them."""
    path = tmp_path / "a.csv"
    path.write_text(
        'query_id,prompt,model,score\nq1,"two\nlines",small,1\nq2,Why?,small\nq3,a,b,0.5\n'
        'q4,"""quoted"", and more",b,nan\n'
    )
    told = _told(path)
    assert f"{path}: line 4: has 3 fields, the header has 4" in told
    assert f"{path}: line 6: score must be a number from 0 to 1, got nan" in told
    frame = read_outcomes([path], skip_bad=True).frame
    assert frame["prompt"].to_list() == ["two\nlines", "a"]


def test_an_empty_csv_field_is_unknown_and_one_in_quotes_is_an_empty_text(tmp_path: Path) -> None:
    """A model that answered nothing is not one whose answer was not kept."""
    path = tmp_path / "a.csv"
    path.write_text('query_id,prompt,model,response\nq1,"a,b",m,\nq2,b,m,""\nq3,"a""b",m,""\n')
    assert read_outcomes([path]).frame["response"].to_list() == [None, "", ""]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'query_id,prompt,model\n"q1,a,b\n', "line 2: is no CSV record: unexpected end of data"),
        (b"query_id,prompt,model\nq1,\xff,b\n", "line 2: prompt is not UTF-8"),
        (b"query_id,prompt,model,model\n", "has two columns named 'model'"),
        (b"query_id,prompt,model\n", "has no rows"),
        (b"\n\n", "is empty; a CSV table begins with the names of its columns"),
        (b"", "is empty"),
    ],
)
def test_a_broken_csv_is_told_in_one_line(tmp_path: Path, content: bytes, what: str) -> None:
    """What, where, and what would be right."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert f"{path}: {what}" in _told(path)


def test_a_missing_column_is_told_with_the_one_that_is_nearest(tmp_path: Path) -> None:
    """One line for the whole table, not one for each row."""
    path = jsonl(tmp_path / "a.jsonl", [{"question_id": 1, "prompt": "a", "model": "m"}] * 9)
    assert _told(path).startswith(
        f"{path}: column query_id missing; did you mean 'question_id'? `emafusion import jsonl"
    )


def test_columns_that_are_not_used_are_named_once(tmp_path: Path) -> None:
    """Nothing is ignored without a word."""
    path = jsonl(tmp_path / "a.jsonl", [good(split="test", prompt=p) for p in "ab"])
    assert list(read_outcomes([path, path]).notes())[-1] == "columns not used: split"


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b"\n \n", "has no rows"),
        ("a.jsonl", b"[\n{}\n]", "is one JSON array"),
        ("a.parquet", b"hello", "is no parquet file"),
        ("a.parquet", b"PAR1 and no more", "cannot be read as parquet"),
        ("a.txt", b"hello", "must end in .parquet, .jsonl, .ndjson, .csv, or be a log"),
        ("a", b"hello", "must end in"),
        ("a.jsonl.gz", b"\x1f\x8bhello", "cannot be read to its end"),
        ("log", b"SQLite format 3\0 and no more", "log"),
    ],
)
def test_a_file_that_is_no_table_is_told(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    """Whatever its name says."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Exception, match=what) as caught:
        read_outcomes([path])
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """And so is a folder."""
    assert "cannot be read: No such file" in _told(tmp_path / "a.jsonl")
    assert "is a folder" in _told(tmp_path)


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    """A table is looked at before it is read."""
    os.mkfifo(tmp_path / "a.jsonl")
    assert "is a pipe or a device; expected a file" in _told(tmp_path / "a.jsonl")


def test_a_name_with_signs_of_a_pattern_is_a_name(tmp_path: Path) -> None:
    """Brackets and stars are no wildcards."""
    path = tmp_path / "a[1]*.parquet"
    pl.DataFrame([good()]).write_parquet(path)
    assert read_outcomes([path]).frame.height == 1


def test_a_compressed_table_is_read_like_a_plain_one(tmp_path: Path) -> None:
    """The first bytes tell, so the name need not."""
    plain = jsonl(tmp_path / "a.jsonl", [GOOD])
    for name in ("b.jsonl.gz", "c.jsonl"):
        (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))
        assert read_outcomes([tmp_path / name]).frame.equals(read_outcomes([plain]).frame)


def test_a_table_compressed_with_zstd_is_read_like_a_plain_one(tmp_path: Path) -> None:
    """Line by line too, so that a bad one has its number."""
    rows = [good(), good(query_id="q2", score=2)]
    path = tmp_path / "a.jsonl.zst"
    pl.LazyFrame(rows).sink_ndjson(path, compression="zstd")
    assert read_outcomes([path], skip_bad=True).frame["query_id"].to_list() == ["q1"]
    assert "a.jsonl.zst: line 2: score must be" in _told(path)
    path.write_bytes(path.read_bytes()[:20])
    assert "a.jsonl.zst: cannot be read" in _told(path)


def test_a_table_without_questions_serves_where_only_scores_matter(tmp_path: Path) -> None:
    """Judge panels are fitted on who was right, not on what was asked."""
    path = jsonl(tmp_path / "a.jsonl", [{"query_id": 1, "model": "m", "score": 0}])
    assert "column prompt missing" in _told(path)
    assert read_outcomes([path], prompts="optional").frame["score"].to_list() == [0.0]


def test_parquet_of_other_types_is_converted(tmp_path: Path) -> None:
    """Structs, categories, decimals and small integers are what they say."""
    messages = [{"role": "user", "content": "Hi", "tool_calls": None}]
    frame = pl.DataFrame(
        {
            "query_id": pl.Series([7, 8], dtype=pl.UInt8),
            "messages": [messages, messages],
            "model": pl.Series(["a", "b"], dtype=pl.Categorical),
            "score": pl.Series([True, None]),
            "cost_usd": pl.Series(["0.5", "1.25"]).cast(pl.Decimal(10, 2)),
            "prompt_tokens": pl.Series([3.0, None]),
            "gold": pl.Series([[1], [2]]),
            "answer": [date(2026, 1, 2), None],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    read = read_outcomes([tmp_path / "a.parquet"]).frame
    assert read["query_id"].to_list() == ["7", "8"]
    assert json.loads(read["messages"][0]) == messages
    assert read.select("model", "score", "cost_usd", "prompt_tokens", "gold").rows() == [
        ("a", 1.0, 0.5, 3, "[1]"),
        ("b", None, 1.25, None, "[2]"),
    ]
    assert read["answer"].to_list() == ["2026-01-02", None]


def test_a_bad_row_of_parquet_is_named_by_its_number(tmp_path: Path) -> None:
    """Rows count from 1, as lines do."""
    pl.DataFrame([good(), good(score=float("nan"))]).write_parquet(tmp_path / "a.parquet")
    assert "a.parquet: row 2: score must be a number from 0 to 1, got nan" in _told(
        tmp_path / "a.parquet"
    )


def test_a_prompt_of_ten_megabytes_is_a_prompt(tmp_path: Path) -> None:
    """In either text format."""
    long = "word, " * 1_700_000
    frame = pl.DataFrame([good(prompt=long)])
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    for name in ("a.csv", "a.jsonl"):
        assert read_outcomes([tmp_path / name]).frame["prompt"][0] == long
