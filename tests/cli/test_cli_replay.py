"""`emafusion replay`: from a table to decisions and what they are worth."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("polars")

import polars as pl
from tests.cli.running import Shell
from tests.replay.recorded_table import rows_of

from emafusion.store.artifact import Card, save

ARGUMENTS = ("replay", "table.parquet", "--artifact", "blank")


@pytest.fixture
def replaying(shell: Shell) -> Shell:
    """A folder with a table and an artifact that knows nothing."""
    pl.DataFrame(rows_of(40)).write_parquet(shell.folder / "table.parquet")
    card = Card(title="blank", created="2026-01-01", version="0")
    save(shell.folder / "blank", {}, card)
    return shell


def test_the_dial_the_baselines_and_the_sentences(replaying: Shell) -> None:
    """What a person reads, with what the table cannot show on standard error."""
    done = replaying.run(*ARGUMENTS)
    assert done.code == 0, done.err
    assert "vs best single" in done.out
    assert "always cheapest" in done.out
    assert "cannot tell: 40 scored queries, 200 are the least." in done.out
    assert done.err == "emafusion: not in the artifact, priors alone: large, middle, small\n"


def test_decisions_in_every_form(replaying: Shell) -> None:
    """The same rows as parquet, JSONL and CSV."""
    for ending in ("parquet", "jsonl", "csv"):
        done = replaying.run(*ARGUMENTS, "--quality-weight", "0.5", "--decisions", f"out.{ending}")
        assert done.code == 0, done.err
    whole = pl.read_parquet(replaying.folder / "out.parquet")
    assert whole.height == 40
    assert pl.read_ndjson(replaying.folder / "out.jsonl")["model"].equals(whole["model"])
    flat = pl.read_csv(replaying.folder / "out.csv")
    assert [json.loads(names) for names in flat["models"]] == whole["models"].to_list()


def test_json_has_every_figure(replaying: Shell) -> None:
    """And nothing else is on standard output; what is unknown is null."""
    done = replaying.run(*ARGUMENTS, "--policy", "oracle", "--json", "--quality-weight", "1")
    told = json.loads(done.out)
    (point,) = told["points"]
    assert point["accuracy"]["mean"] == pytest.approx(
        next(each["accuracy"] for each in told["baselines"] if each["role"] == "oracle")
    )
    assert told["queries"] == 40
    assert len(told["budgets"]) == 3


def test_a_table_without_scores(replaying: Shell) -> None:
    """Decisions, and a line that says that there is no accuracy."""
    pl.DataFrame(rows_of(5, score=None)).write_ndjson(replaying.folder / "blind.jsonl")
    done = replaying.run("replay", "blind.jsonl", "--artifact", "blank", "--decisions", "d.csv")
    assert done.code == 0, done.err
    assert "none with a score: decisions only" in done.out
    assert (replaying.folder / "d.csv").is_file()


def test_bad_rows_can_be_left_out(replaying: Shell) -> None:
    """They are named; with --skip-bad they are counted, and the others replayed."""
    rows = [*rows_of(3), {**rows_of(1)[0], "query_id": "bad", "score": 7.0}]
    pl.DataFrame(rows).write_ndjson(replaying.folder / "holed.jsonl")
    refused = replaying.run("replay", "holed.jsonl", "--artifact", "blank")
    assert refused.code == 2
    assert "holed.jsonl: line 10: score" in refused.err
    done = replaying.run("replay", "holed.jsonl", "--artifact", "blank", "--skip-bad", "--json")
    assert json.loads(done.out)["queries"] == 3
    assert "1 bad row left out" in done.err


def test_transfer_shows_each_data_set(replaying: Shell) -> None:
    """With the best single model of the others beside it."""
    done = replaying.run("replay", "table.parquet", "--policy", "router", "--transfer")
    assert done.code == 0, done.err
    assert "data set at B" in done.out
    assert "doubles" in done.out


@pytest.mark.parametrize("name", ["r.html", "r.json"])
def test_a_report_in_one_file(replaying: Shell, name: str) -> None:
    """A page, or its figures."""
    pytest.importorskip("vl_convert")
    done = replaying.run(*ARGUMENTS, "--report", name)
    assert done.code == 0, done.err
    assert "table.parquet" in (replaying.folder / name).read_text()


def test_other_policies_stand_beside_it_in_the_report(replaying: Shell) -> None:
    """A curve each, and the random mix that needs no policy."""
    beside = ("--beside", "router", "--beside", "single:large")
    done = replaying.run(*ARGUMENTS, "--report", "r.json", *beside)
    assert done.code == 0, done.err
    told = json.loads((replaying.folder / "r.json").read_text())
    assert [curve["name"] for curve in told["curves"]] == ["router", "single:large", "random mix"]
    assert told["head"]["sha256"] != told["head"]["artifact_sha256"]


def test_prices_after_the_fact(replaying: Shell) -> None:
    """A YAML file reprices what was recorded."""
    prices = "large: {prompt_usd_per_mtok: 1, completion_usd_per_mtok: 1}\n"
    (replaying.folder / "prices.yaml").write_text(prices)
    done = replaying.run(
        *ARGUMENTS, "--policy", "single:large", "--prices", "prices.yaml", "--json"
    )
    assert json.loads(done.out)["points"][0]["cost_usd"] == pytest.approx(22e-6)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("replay",), "Missing argument 'TABLE...'"),
        (("replay", "no.parquet"), "no.parquet: cannot be read"),
        (("replay", "table.txt"), "table.txt: cannot be read"),
        ((*ARGUMENTS, "--policy", "best"), "no policy 'best'; there are hybrid"),
        ((*ARGUMENTS, "--policy", "single:huge"), "no answers of 'huge'; there are large"),
        ((*ARGUMENTS, "--policy", "task-table"), "artifact: has no table of tasks"),
        ((*ARGUMENTS, "--quality-weight", "2"), "must be a number from 0 to 1"),
        ((*ARGUMENTS, "--models", "large,huge"), "no answers of 'huge'"),
        ((*ARGUMENTS, "--decisions", "out.xls"), "out.xls: must end in .parquet"),
        ((*ARGUMENTS, "--decisions", "no/out.csv"), "its folder does not exist"),
        ((*ARGUMENTS, "--transfer"), "--transfer: makes its own fits"),
        ((*ARGUMENTS, "--report", "out.pdf"), "out.pdf: must end in .html"),
        ((*ARGUMENTS, "--report", "no/out.png"), "no/out.png: cannot be written: its folder"),
        ((*ARGUMENTS, "--beside", "router"), "--beside: is a curve of a report"),
        ((*ARGUMENTS, "--report", "r.json", "--beside", "best"), "no policy 'best'; there are"),
        ((*ARGUMENTS, "--prices", "no.yaml"), "no.yaml: cannot be read"),
        ((*ARGUMENTS, "--prices", "wrong.yaml"), "wrong.yaml: Object"),
        ((*ARGUMENTS, "--judges", "no.csv"), "no.csv: cannot be read"),
        (("replay", "table.parquet", "--artifact", "nowhere"), "no artifact"),
    ],
)
def test_bad_input_is_one_line(replaying: Shell, arguments: tuple[str, ...], told: str) -> None:
    """Exit code 2, what is wrong and where, nothing written."""
    (replaying.folder / "wrong.yaml").write_text("large: {usd: 1}\n")
    done = replaying.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert len(done.err.splitlines()) == 1
