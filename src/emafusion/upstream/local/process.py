"""One life of the child process: spawned, waited for, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Sequence

import msgspec

from .errors import ChildError

_KEPT_LINES = 50
_GRACE_S = 5.0
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


class PortLine(msgspec.Struct, frozen=True):
    """The line by which the child says that it answers."""

    port: int


class ChildProcess:
    """A running child. Its last 50 lines of stderr are kept for the reason of its end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reader = asyncio.create_task(self._keep_lines(), name="local-model-stderr")

    @property
    def pid(self) -> int:
        """Process number."""
        return self._process.pid

    @property
    def last_line(self) -> str | None:
        """The last line it wrote to stderr, or None."""
        return self._lines[-1] if self._lines else None

    async def ready(self, timeout_s: float) -> bool:
        """Wait for the port line; False if the child ended first, or was killed for being late."""
        try:
            line = await asyncio.wait_for(_open(self._process.stdout).readline(), timeout_s)
            msgspec.json.decode(line, type=PortLine)
        except TimeoutError:
            late = f"the local model was not ready after {timeout_s:g} s: use a smaller file"
            self._lines.append(late)
            self._kill()
            return False
        except msgspec.DecodeError:  # it ended (an empty line), or printed something else
            return False
        return True

    async def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        code = await self._process.wait()
        await self._reader
        return code

    async def end(self) -> None:
        """Ask it to end, kill it after 5 s."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _GRACE_S)
            except TimeoutError:
                self._kill()
        await self.wait()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _keep_lines(self) -> None:
        while line := await _open(self._process.stderr).readline():
            text = line.decode(errors="replace").strip()
            if text:
                self._lines.append(text)


async def spawn(arguments: Sequence[str], *, listen_fd: int, api_key: str) -> ChildProcess:
    """Start the child with the listening socket and the key, and no other secret."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-P",
            "-m",
            "emafusion.upstream.local",
            "--fd",
            str(listen_fd),
            *arguments,
        ),
        stdin=asyncio.subprocess.PIPE,  # its closing, with the parent's end, ends the child
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(api_key),
        pass_fds=(listen_fd,),
        start_new_session=True,  # Ctrl-C in a terminal is the parent's business
    )
    return ChildProcess(process)


def _open(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if stream is None:
        raise ChildError("the local model was started without pipes")
    return stream


def _environment(api_key: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not _is_secret(name)}
    return {**kept, "EMAFUSION_LOCAL_KEY": api_key}


def _is_secret(name: str) -> bool:
    return any(word in name.upper() for word in _SECRET_WORDS)
