"""`emafusion import`: from others' files to a table that fits and replays."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import polars as pl
import pytest
from tests.cli.running import Shell

ROWS = [
    {"id": 1, "text": "2 + 2?", "who": "tiny", "right": True},
    {"id": 1, "text": "2 + 2?", "who": "big", "right": 1},
    {"id": 2, "text": "Why?", "who": "tiny", "right": "0.5"},
]
BAD = {"id": 3, "text": "Who?", "who": "tiny", "right": 7}
MAP = ("--map", "query_id=id", "--map", "prompt=text", "--map", "model=who", "--map", "score=right")


def _put(path: Path, *rows: object) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def test_a_table_is_made_and_told_in_one_line(empty: Shell) -> None:
    """The result on standard output, nothing else anywhere."""
    _put(empty.folder / "a.jsonl", *ROWS)
    done = empty.run("import", "jsonl", "a.jsonl", *MAP, "--out", "t.parquet")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "wrote t.parquet: 3 rows, 2 queries, 2 models; 3 with a score, 0 with a cost\n"
    )
    assert pl.read_parquet(empty.folder / "t.parquet")["score"].to_list() == [1.0, 1.0, 0.5]
    assert {path.name for path in empty.folder.iterdir()} == {"a.jsonl", "t.parquet"}


def test_a_bad_row_is_one_line_and_nothing_is_written(empty: Shell) -> None:
    """Unless it may be skipped; then it is counted."""
    _put(empty.folder / "a.jsonl", *ROWS, BAD)
    arguments = ("import", "jsonl", "a.jsonl", *MAP, "--out", "t.csv")
    done = empty.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "emafusion: a.jsonl: line 4: score must be a number from 0 to 1, got 7; "
        "--skip-bad leaves out such rows\n"
    )
    assert {path.name for path in empty.folder.iterdir()} == {"a.jsonl"}
    skipped = empty.run(*arguments, "--skip-bad", "--json")
    told = json.loads(skipped.out)
    assert (skipped.code, told["rows"], told["skipped"], told["models"]) == (
        0, 3, 1, ["big", "tiny"],
    )  # fmt: skip
    assert skipped.err.startswith("emafusion: 1 bad row left out: a.jsonl: line 4: score must be")


def test_a_table_that_is_there_is_not_overwritten_unawares(empty: Shell) -> None:
    """As with init, --force does it."""
    _put(empty.folder / "a.jsonl", *ROWS)
    (empty.folder / "t.jsonl").write_text("mine")
    arguments = ("import", "jsonl", "a.jsonl", *MAP, "--out", "t.jsonl")
    done = empty.run(*arguments)
    assert (done.code, done.err) == (
        2, "emafusion: t.jsonl: is there already; --force overwrites it\n",
    )  # fmt: skip
    assert (empty.folder / "t.jsonl").read_text() == "mine"
    assert empty.run(*arguments, "--force").code == 0
    assert len((empty.folder / "t.jsonl").read_text().splitlines()) == 3


def test_a_place_that_cannot_be_written_to_is_told(empty: Shell) -> None:
    """One line, and it is no mistake of the input."""
    _put(empty.folder / "a.jsonl", *ROWS)
    done = empty.run("import", "jsonl", "a.jsonl", *MAP, "--out", "/proc/t.parquet")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("emafusion: /proc/t.parquet: cannot be written: ")


def test_an_import_that_is_interrupted_leaves_nothing(empty: Shell) -> None:
    """Neither the table nor what it was being made of."""
    text = "some words " * 300
    _put(empty.folder / "a.jsonl", *({**ROWS[0], "id": n, "text": text} for n in range(30_000)))
    process = empty.start("import", "jsonl", "a.jsonl", *MAP, "--out", "t.parquet")
    end = time.monotonic() + 30
    while not list(empty.folder.glob(".emafusion-*")) and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert {path.name for path in empty.folder.iterdir()} == {"a.jsonl"}


def test_grades_go_to_a_table_of_their_own(empty: Shell) -> None:
    """Where the source has any."""
    _put(empty.folder / "a.jsonl", {**ROWS[0], "judge": "strict", "judge_score": 8})
    done = empty.run(
        "import", "jsonl", "a.jsonl", *MAP, "--out", "t.parquet", "--judges-out", "j.csv"
    )
    assert done.code == 0
    assert done.out.endswith("; j.csv: 1 grades\n")
    assert (empty.folder / "j.csv").read_text().splitlines() == [
        "query_id,model,judge,repeat,judge_score,cost_usd",
        "1,tiny,strict,,8.0,",
    ]


def test_what_is_imported_is_what_fit_and_replay_read(empty: Shell) -> None:
    """The sample's own table, once around."""
    first = empty.run("import", "jsonl", str(_sample()), "--out", "t.parquet")
    assert first.code == 0, first.err
    done = empty.run("replay", "t.parquet", "--policy", "oracle", "--quality-weight", "1")
    assert done.code == 0, done.err


def _sample() -> Path:
    import emafusion

    return Path(str(emafusion.__file__)).parent / "samples" / "embedded.parquet"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import", "Missing argument 'KIND'"),
        ("import jsonl", "Missing argument 'SOURCE...'"),
        ("import jsonl a.jsonl", "Missing option '--out'"),
        ("import nonsense a.jsonl --out t.csv", "'nonsense' is not one of 'routerbench'"),
        ("import jsonl none.jsonl --out t.csv", "none.jsonl: cannot be read: No such file"),
        ("import jsonl a.jsonl --out t.txt", "--out: must end in .parquet, .jsonl"),
        ("import jsonl a.jsonl --out no/t.csv", "no/t.csv: its folder does not exist"),
        ("import jsonl a.jsonl --out t.csv --judges-out t.csv", "is the same file as --out"),
        ("import jsonl a.jsonl --out t.csv --map x", "--map: must be OURS=THEIRS, got 'x'"),
        ("import jsonl a.jsonl --out t.csv --map x=y", "--map: no column 'x'; there are query_id"),
        ("import jsonl a.jsonl --out t.csv --metric acc", "--metric: means nothing to the kind"),
        ("import jsonl a.jsonl --out t.csv", "columns query_id, model, prompt missing"),
        ("import routerbench a.pkl --out t.csv", "a.pkl: is a pickle, which would run code"),
        ("import log a.jsonl --out t.csv", "a.jsonl"),
        ("import lm-eval . --out t.csv", "no samples_*.jsonl in it"),
    ],
)
def test_bad_input_is_one_line(empty: Shell, line: str, says: str) -> None:
    """Exit code 2, one line on standard error, nothing written."""
    _put(empty.folder / "a.jsonl", *ROWS)
    (empty.folder / "a.pkl").write_bytes(b"\x80\x04.")
    done = empty.run(*line.split(" "))
    assert done.code == 2
    assert says in done.err
    assert (done.out, len(done.err.splitlines())) == ("", 1)
    assert {path.name for path in empty.folder.iterdir()} == {"a.jsonl", "a.pkl"}
