"""The examples run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from tests.cli.running import Serving, Shell
from tests.docs.pages import ROOT
from tests.gateway.provider import Provider


def run(name: str, *arguments: str, **env: str) -> str:
    """Run an example; what it printed."""
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name, *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_by_the_client_of_openai(serve: Callable[..., Serving], provider: Provider) -> None:
    """An answer with what it cost, then the same as a stream."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    told = run("openai_client.py", EMAFUSION_URL=serve().url).splitlines()
    assert (told[0], told[-1]) == ("Oslo", "Oslo")
    assert not [line for line in told if line.endswith("unknown")]


def test_by_the_library(shell: Shell, provider: Provider) -> None:
    """The plan, an answer, a stream, with a config of its own."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    config = str(shell.folder / "emafusion.yaml")
    plan, answer, stream = run("library.py", "Where?", config).splitlines()
    assert plan.startswith("plan: call ")
    assert " for $" in answer
    assert stream == "Oslo"
