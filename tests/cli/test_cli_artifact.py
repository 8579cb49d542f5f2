"""`emafusion artifact` and `emafusion taxonomy`: what was learned, as one looks at it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from tests.cli.running import Shell

NARROW = {"COLUMNS": "80"}


@pytest.fixture
def fitted(tmp_path: Path) -> Shell:
    """A folder with two artifacts: `all` of every label of the sample, `some` of 100."""
    shell = Shell(tmp_path, NARROW)
    for name, labels in (("all", "all"), ("some", "100")):
        done = shell.run("fit", "sample", "--out", name, "--labels", labels)
        assert (done.code, done.err) == (0, "")
    return shell


def test_an_artifact_is_looked_into(fitted: Shell) -> None:
    """Its card, what another one changes, and its table of classes, for people and programs."""
    shown = fitted.run("artifact", "show", "all")
    assert (shown.code, shown.err) == (0, "")
    for word in ("Fitted on sample", "300", "1,200", "smollm2-135m", "held out/best single"):
        assert word in shown.out
    assert "cannot serve" not in shown.out
    _check_json(fitted)
    _check_difference(fitted)
    _check_taxonomy(fitted)


def _check_json(fitted: Shell) -> None:
    """Everything is there: the card, each model, each array with its bytes."""
    told = json.loads(fitted.run("artifact", "show", "all", "--json").out)
    assert told["card"]["sources"][0]["rows"] == 1200
    assert {each["model"] for each in told["models"]} >= {"calculator", "smollm2-135m"}
    assert {each["name"] for each in told["arrays"]} >= {"router/ability", "tasks/names"}
    assert re.fullmatch("[0-9a-f]{12}", told["digest"])
    assert told["refused"] is None


def _check_difference(fitted: Shell) -> None:
    """Fewer labels decide otherwise for some of the reference queries."""
    shown = fitted.run("artifact", "diff", "all", "some")
    assert (shown.code, shown.err) == (0, "")
    assert "4 models in common" in shown.out
    assert re.search(r"\d+ of 300 reference queries \(\d+%\) would be asked of another", shown.out)
    told = json.loads(fitted.run("artifact", "diff", "all", "some", "--json").out)
    assert 0 < told["decisions"]["changed"] <= told["decisions"]["queries"] == 300
    assert (
        sum(move["queries"] for move in told["decisions"]["moves"])
        == (told["decisions"]["changed"])
    )
    same = fitted.run("artifact", "diff", "all", "all")
    assert same.out.startswith("The same arrays")


def _check_taxonomy(fitted: Shell) -> None:
    """A table that fits 80 columns, as rows of JSON, and as CSV."""
    shown = fitted.run("taxonomy", "show", "--artifact", "all")
    assert (shown.code, shown.err) == (0, "")
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    assert "embedded-capital" in shown.out
    wanted = ("taxonomy", "show", "--artifact", "all", "--models", "calculator")
    rows = [json.loads(line) for line in fitted.run(*wanted, "--json").out.splitlines()]
    assert {row["model"] for row in rows} == {"calculator"}
    assert {row["classes"] for row in rows} >= {"data set"}
    assert all(row["score"] is None or 0 <= row["score"] <= 1 for row in rows)
    table = list(csv.DictReader(io.StringIO(fitted.run(*wanted, "--csv").out)))
    assert [row["name"] for row in table] == [row["name"] for row in rows]


def test_what_ships_is_shown_without_a_name(empty: Shell) -> None:
    """Many models: the best few of each class, in 80 columns, however long their names are."""
    shell = Shell(empty.folder, NARROW)
    card = shell.run("artifact", "show")
    assert (card.code, card.err) == (0, "")
    assert "more: --all" in card.out
    few, every = (shell.run("taxonomy", "show", *more).out for more in ((), ("--all",)))
    assert len(few.splitlines()) < len(every.splitlines())
    assert all(len(line) <= 80 for line in (few + every + card.out).splitlines())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("artifact", "show", "none"), "none/card.json: no artifact"),
        (("artifact", "diff", "default"), "Missing argument 'B'"),
        (("artifact", "burn"), "No such command 'burn'"),
        (("taxonomy", "show", "--artifact", "none"), "none/card.json: no artifact"),
        (("taxonomy", "show", "--models", "smollm2-135n"), "did you mean 'smollm2-135m'?"),
        (("taxonomy", "show", "--json", "--csv"), "does not go with --json"),
    ],
)
def test_bad_input_is_one_line(empty: Shell, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2, one line on stderr."""
    done = empty.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1
