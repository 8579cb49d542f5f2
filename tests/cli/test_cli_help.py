"""Help: of every verb, with an example, and quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.running import Shell

from emafusion.cli.main import VERBS
from emafusion.version import __version__


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(empty: Shell, verb: str) -> None:
    """What it does, its options, and a command to copy."""
    done = empty.run(verb, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Example: emafusion {verb}" in done.out
    assert done.out.startswith(f"Usage: emafusion {verb}")


def test_the_verbs_are_listed_without_loading_them() -> None:
    """`--help` and `--version` load neither numpy nor a server."""
    code = (
        "import sys; sys.argv = ['emafusion', '--help']\n"
        "from emafusion.cli import main\n"
        "try: main()\n"
        "except SystemExit: print({'numpy', 'uvicorn', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_version(empty: Shell) -> None:
    """The version of the package."""
    assert empty.run("--version").out == f"emafusion, version {__version__}\n"


def test_the_command_is_installed() -> None:
    """The package puts `emafusion` beside its Python."""
    command = Path(sys.executable).with_name("emafusion")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert __version__ in done.stdout
