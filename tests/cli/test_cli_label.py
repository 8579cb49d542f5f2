"""`emafusion label`: asks on a terminal, keeps what was said, and refuses what it cannot keep."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path

import msgspec
import pytest
from tests.cli.running import Shell
from tests.gateway.starting import Gateway
from tests.gateway.talking import send
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
    assert "that is none of these" in said.err
    assert "3 labels kept in log.sqlite: 1 right, 1 wrong, 1 in between; 1 skipped" in said.err


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


def test_one_can_go_back_and_ask_why(shell: Shell) -> None:
    """What is said then counts instead; why an answer was given is told when asked."""
    said = shell.run("label", "-n", "6", "--file", "log.sqlite", stdin=b"b\nh\nr\nb\nw\nq\n")
    assert "this is the first one" in said.err
    assert "because confident enough" in said.out
    assert "drawn with a chance of 100%" in said.out
    assert scores(shell) == [0.0, 1.0]
    assert "1 label kept in log.sqlite: 1 wrong; 5 of those drawn are left" in said.err


@pytest.mark.parametrize(
    "words", [("--web", "--json"), ("--web", "em-0", "right"), ("--port", "8123")]
)
def test_what_does_not_go_together_is_one_line(shell: Shell, words: tuple[str, ...]) -> None:
    """Nothing that was said is ignored."""
    said = shell.run("label", *words, "--file", "log.sqlite")
    assert (said.code, len(said.err.splitlines())) == (2, 1)


def test_a_page_asks_until_it_is_stopped(shell: Shell) -> None:
    """Its address is all that is printed; Ctrl-C ends it with what came of it."""
    with shell.start("label", "--web", "--file", "log.sqlite") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)(/[\w-]{22}/)", url)
        assert found is not None
        gateway = Gateway(url=found[1], log=shell.folder / "log.sqlite")
        page = send(gateway, "GET", found[2])
        cookie = {"cookie": page.headers["set-cookie"].partition(";")[0]}
        asked = re.search(rb'name="id" value="([^"]+)"', page.raw)
        assert asked is not None
        form = b"say=wrong&id=" + asked[1]
        assert send(gateway, "POST", found[2], form, cookie).status == 303
        assert b"Kept as wrong." in send(gateway, "GET", found[2], None, cookie).raw
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert err.splitlines()[-1] == "1 label kept in log.sqlite: 1 wrong; 5 of those drawn are left"
    assert scores(shell) == [0.0]


def test_a_page_over_a_log_that_cannot_be_judged_is_not_served(shell: Shell) -> None:
    """One line, at once."""
    said = shell.run("label", "--web", "--file", "none.sqlite")
    assert (said.code, len(said.err.splitlines())) == (2, 1)
