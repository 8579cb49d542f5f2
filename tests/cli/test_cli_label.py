"""`emafusion label`: asks on a terminal, keeps what was said, and refuses what it cannot keep."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from tests.cli.running import Shell
from tests.store.outcomes import outcome

from emafusion.store.log import OutcomeLog
from emafusion.store.read import LogReader


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in a folder with a log of six answers."""

    async def fill() -> None:
        log = OutcomeLog.open(tmp_path / "log.sqlite")
        for number in range(6):
            each = msgspec.structs.replace(outcome(), decision_id=f"em-{number:024x}")
            await log.append(each)
        await log.close()

    asyncio.run(fill())
    return Shell(folder=tmp_path)


def scores(shell: Shell) -> list[float]:
    """Every label in the log."""
    with LogReader(shell.folder / "log.sqlite") as reader:
        ids = [row.decision_id for row in reader.rows()]
        return sorted(each.score for name in ids for each in reader.opinions(name))


def test_it_asks_and_keeps_what_is_said(shell: Shell) -> None:
    """Right, a number, something it does not understand, skip; then whoever asked has gone."""
    said = shell.run("label", "-n", "6", "--file", "log.sqlite", stdin=b"r\nhm\n0.5\ns\nw\n")
    assert said.code == 0
    assert scores(shell) == [0.0, 0.5, 1.0]
    assert "What is 2 + 2?" in said.out
    assert "3 labels kept" in said.err


def test_what_has_a_label_is_not_asked_about_again(shell: Shell) -> None:
    """Until nothing is left."""
    for number in range(6):
        done = shell.run("label", f"em-{number:024x}", "right", "--file", "log.sqlite")
        assert done.code == 0
    said = shell.run("label", "--file", "log.sqlite")
    assert "no answer left to ask about" in said.err


def test_a_tool_is_told_what_it_would_ask(shell: Shell) -> None:
    """A line each, with the chance of having been drawn."""
    lines = shell.run("label", "--json", "-n", "6", "--file", "log.sqlite").out.splitlines()
    told = [json.loads(line) for line in lines]
    assert len(told) == 6
    assert {each["propensity"] for each in told} == {1.0}
    assert scores(shell) == []


@pytest.mark.parametrize(
    "words", [("em-9", "right"), ("em-0", "perhaps"), ("em-0", "2"), ("em-0",)]
)
def test_a_mistake_is_one_line(shell: Shell, words: tuple[str, ...]) -> None:
    """What is wrong, and what would be right."""
    said = shell.run("label", *words, "--file", "log.sqlite")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
