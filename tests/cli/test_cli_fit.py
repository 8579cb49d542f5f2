"""`emafusion fit`: from a table, or the sample that comes along, to an artifact that replays."""

from __future__ import annotations

import json

import polars as pl
import pytest
from tests.cli.running import Shell


def test_the_sample_is_fitted_and_replayed_at_once(shell: Shell) -> None:
    """What a new user types first works without a file of their own."""
    done = shell.run("fit", "sample", "--out", "fitted")
    assert (done.code, done.err) == (0, "")
    assert "Learned from 300 queries and 4 models (1,200 rows)." in done.out
    assert done.out.rstrip().endswith("emafusion replay TABLE --artifact fitted")
    replayed = shell.run("replay", "sample", "--artifact", "fitted", "--quality-weight", "1")
    assert replayed.code == 0
    assert "best single" in replayed.out


def test_a_file_of_that_name_comes_first(shell: Shell) -> None:
    """`sample` in the folder is the user's own, and is refused for what it is."""
    (shell.folder / "sample").write_text("x")
    done = shell.run("fit", "sample", "--out", "fitted")
    assert (done.code, done.out) == (2, "")
    assert "must end in .parquet" in done.err


def test_the_card_as_json(shell: Shell) -> None:
    """For scripts: the whole card on stdout, nothing else."""
    done = shell.run("fit", "sample", "--out", "fitted", "--labels", "100", "--json")
    card = json.loads(done.out)
    assert card["sources"][0]["queries"] == 300
    assert card["labels"] == "100 labelled queries, drawn by chance"
    assert (len(card["datasets"]), set(card["made_with"])) == (12, {"numpy", "python"})
    assert str(shell.folder) not in done.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("fit", "none.parquet", "--out", "x"), "none.parquet"),
        (("fit", "sample", "--out", "x", "--labels", "few"), "all, none nor a number"),
        (("fit", "sample"), "Missing option '--out'"),
        (("fit", "--out", "x"), "Missing argument"),
        (("fit", "sample", "--out", "thin.jsonl"), "thin.jsonl: is a file; name a folder"),
        (("fit", "thin.jsonl", "--out", "x"), "columns query_id, model, prompt missing"),
    ],
)
def test_bad_input_is_one_line(shell: Shell, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2, one line on stderr, nothing written."""
    pl.DataFrame({"a": [1]}).write_ndjson(shell.folder / "thin.jsonl")
    done = shell.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1
    assert not (shell.folder / "x").exists()
