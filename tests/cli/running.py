"""Runs the command `emafusion` as a user does: a process with its own streams."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = (sys.executable, "-m", "emafusion")


@dataclass(frozen=True)
class Done:
    """A run that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """Where commands run: a folder, and what is added to the environment."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: bytes = b"", timeout_s: float = 60) -> Done:
        """Run a verb to its end."""
        done = subprocess.run(
            (*COMMAND, *arguments),
            cwd=self.folder,
            env={**os.environ, **self.env},
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def shell(self, line: str) -> str:
        """Run a line of shell, in which `"$0"` is Python; what it printed on either stream."""
        done = subprocess.run(
            ("bash", "-c", line, sys.executable),
            cwd=self.folder,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a verb that goes on until it is stopped; out and err are text."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A shell starts its background jobs so, and a child would inherit the deafness.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            (*COMMAND, *arguments),
            cwd=self.folder,
            env={**os.environ, **self.env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


class Serving:
    """A gateway that `emafusion serve` has started; `welcome` is what it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.welcome = self._read_welcome()
        found = re.search(r"ready at (http://\S+)", self.welcome)
        assert found is not None, self.welcome
        self.url = found[1]

    def _read_welcome(self) -> str:
        """Everything up to the last line of what is printed at the start."""
        lines: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            lines.append(line)
            if line.strip().startswith("-d '"):
                return "".join(lines)
        raise AssertionError(self._process.communicate()[1])

    def send(self, which: signal.Signals) -> None:
        """Send it a signal that does not end it."""
        self._process.send_signal(which)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> Done:
        """Tell it to stop, and wait."""
        self._process.send_signal(how)
        out, err = self._process.communicate(timeout=20)
        return Done(self._process.returncode, out, err)

    def end(self) -> None:
        """End it, whatever state it is in."""
        if self._process.poll() is None:
            self._process.kill()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._process.wait()
