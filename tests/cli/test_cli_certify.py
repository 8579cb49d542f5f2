"""`emafusion certify`: a promise or a refusal, and exit codes that scripts can rely on."""

from __future__ import annotations

import json

import polars as pl
from tests.cli.running import Shell


def labelled(shell: Shell, *, queries: int) -> None:
    """A table in which the dear model is always right and the cheap one every other time."""
    rows = [
        {"query_id": f"q{i}", "prompt": f"Is {i} even?", "model": model, "response": "yes",
         "answer": "yes", "score": score, "cost_usd": cost}
        for i in range(queries)
        for model, score, cost in (("dear", 1.0, 0.01), ("cheap", float(i % 2), 0.001))
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(shell.folder / "table.parquet")


def test_a_promise_is_told_and_written(shell: Shell) -> None:
    """The reference itself keeps its own quality: exit code 0, and a certificate with hashes."""
    labelled(shell, queries=300)
    done = shell.run(
        "certify", "table.parquet", "--policy", "single:dear", "--reference", "dear",
        "--min-quality", "0.9", "--out", "promise.json",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Certified: at quality_weight 0 answers keep at least 90.0%")
    written = json.loads((shell.folder / "promise.json").read_text())
    assert written["queries"] == 300
    assert len(written["data_sha256"]) == 64


def test_a_refusal_ends_with_1_and_says_what_is_within_reach(shell: Shell) -> None:
    """A model that is right every other time cannot keep 90 % of one that always is."""
    labelled(shell, queries=300)
    done = shell.run(
        "certify", "table.parquet", "--policy", "single:cheap", "--reference", "dear",
        "--min-quality", "0.9", "--out", "promise.json",
    )  # fmt: skip
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("Cannot promise 90.0% of dear: the safest setting keeps 50.0%")
    assert "These labels support" in done.out
    assert not (shell.folder / "promise.json").exists()


def test_what_is_no_promise_is_one_line(shell: Shell) -> None:
    """Too few labels, a model that is not there, a policy that is none."""
    labelled(shell, queries=5)
    few = shell.run("certify", "table.parquet", "--reference", "dear")
    assert (few.code, "at least 20 are needed" in few.err) == (2, True)
    who = shell.run("certify", "table.parquet", "--reference", "deer")
    assert (who.code, "no answers of 'deer'" in who.err) == (2, True)
    how = shell.run("certify", "table.parquet", "--policy", "magic")
    assert (how.code, "no policy 'magic'" in how.err) == (2, True)
