"""What differs on a terminal: colours, a spinner, and tables that fit."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest
from tests.cli.running import COMMAND, Shell
from tests.gateway.provider import Provider

COLOUR = re.compile(r"\x1b\[[0-9;]*3[1-7]m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(shell: Shell, *arguments: str, columns: int = 80, **env: str) -> str:
    """Run a verb on a terminal of that width; everything it shows."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        (*COMMAND, *arguments),
        cwd=shell.folder,
        env={**os.environ, "TERM": "xterm-256color", **env},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    shown = _read_all(mine)
    os.close(mine)
    process.wait(30)
    return shown.replace("\r\n", "\n")


def _read_all(terminal: int) -> str:
    """What comes until the other end is closed."""
    pieces: list[bytes] = []
    try:
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    except OSError:  # how Linux tells that nobody is there any more
        pass
    return b"".join(pieces).decode()


def plain(shown: str) -> list[str]:
    """The lines as they are left standing, without colours."""
    lines = CONTROL.sub("", shown).split("\n")
    return [line.rstrip("\r").rpartition("\r")[2] for line in lines]


@pytest.mark.parametrize("verb", ["models", "models --catalog", "explain Where?", "log"])
def test_tables_fit(shell: Shell, provider: Provider, verb: str) -> None:
    """On 80 columns nothing is wider than that."""
    provider.script = {"dear": "Oslo"}
    shell.run("ask", "What is the capital of Norway?", "--model", "dear")
    lines = plain(on_terminal(shell, *verb.split()))
    assert len(lines) > 2
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_a_wide_terminal_shows_more(shell: Shell) -> None:
    """Columns come with room for them."""
    assert "abilities" not in on_terminal(shell, "models", columns=80)
    assert "abilities" in on_terminal(shell, "models", columns=150)


def test_a_story_fits(shell: Shell, provider: Provider) -> None:
    """The decision is wrapped within its own column, the answer stands alone on its line."""
    provider.script = {"cheap": "It is Oslo, I think.", "dear": "Oslo"}
    shown = on_terminal(shell, "ask", "What is the capital of Norway?", "--explain")
    lines = plain(shown)
    assert max(map(len, lines)) <= 80
    assert {"Oslo", "It is Oslo, I think."} & set(lines)


def test_no_colour_where_none_is_wanted(shell: Shell) -> None:
    """NO_COLOR is honoured; without it a terminal gets colours."""
    assert COLOUR.search(on_terminal(shell, "models", "--health", TERM="xterm-256color"))
    assert not COLOUR.search(on_terminal(shell, "models", "--health", NO_COLOR="1"))


def test_control_characters_of_a_model_are_shown_as_such(shell: Shell, provider: Provider) -> None:
    """What a model says cannot recolour the terminal."""
    provider.script = {"dear": "red \x1b[31m alert"}
    shown = on_terminal(shell, "ask", "Hi", "--model", "dear", NO_COLOR="1")
    assert "red \ufffd[31m alert" in shown
