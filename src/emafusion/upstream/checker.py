"""The operator's checker: a program of theirs that runs a client's tests on one answer.

Code that a model wrote is never run in this process. The program is named in the config alone, gets
one JSON object on its standard input, and must put what it runs into a sandbox of its own. It is
given an empty folder, no secrets, little time, and is killed with all its children at the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.command import Call
from emafusion.domain.errors import Failure, Garbled, Rejected
from emafusion.domain.ports import Sink

DEPLOYMENT = "checker"
MAX_SAID = 64 * 1024
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
"""Environment variables that the program sees; no other, so no key."""


class CheckerUpstream:
    """Runs `command` once a call, `most` at a time; implements `Upstream`."""

    def __init__(self, command: Sequence[str], *, most: int | None = None) -> None:
        self._command = tuple(command)
        self._turn = asyncio.Semaphore(most or os.cpu_count() or 1)

    async def send(self, call: Call, _sink: Sink | None = None, /) -> Attempt:
        """Give it the call's prompt; its standard output is the reply."""
        started = time.perf_counter()
        name, prompt = call.candidate.name, call.query.prompt.encode("utf-8", "surrogatepass")
        async with self._turn:
            said = await self._run(prompt)
        took_s = time.perf_counter() - started
        if isinstance(said, Failure):
            return Attempt(candidate=name, failure=said, cost_usd=0.0, latency_s=took_s)
        reply = Reply(choices=(Choice(text=said),), model=name)
        return Attempt(candidate=name, reply=reply, cost_usd=0.0, latency_s=took_s)

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def _run(self, prompt: bytes) -> str | Failure:
        with tempfile.TemporaryDirectory(prefix="emafusion-check-") as folder:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    cwd=folder,
                    env=_environment(),
                    start_new_session=True,
                )
            except OSError as error:
                return Rejected(f"the checker could not be started: {error.strerror}")
            try:
                return await _talk(process, prompt)
            finally:
                await _ended(process)


async def _talk(process: asyncio.subprocess.Process, prompt: bytes) -> str | Failure:
    """Write the input, read the output; both at once, so that neither side waits for ever."""
    if process.stdin is None or process.stdout is None:
        return Rejected("the checker has no input or output")
    _, said = await asyncio.gather(_fed(process.stdin, prompt), _read(process.stdout))
    if len(said) > MAX_SAID:
        return Garbled(f"the checker said more than {MAX_SAID} bytes")
    if await process.wait() != 0:
        return Rejected(f"the checker ended with status {process.returncode}")
    return said.decode("utf-8", "replace")


async def _fed(stream: asyncio.StreamWriter, prompt: bytes) -> None:
    with suppress(ConnectionError):  # it need not read all of it
        stream.write(prompt)
        await stream.drain()
    stream.close()


async def _read(stream: asyncio.StreamReader) -> bytes:
    said = b""
    while len(said) <= MAX_SAID and (piece := await stream.read(MAX_SAID)):
        said += piece
    return said


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of it, children and all."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def program_of(command: Sequence[str]) -> str | None:
    """What is wrong with a command, None if its program can be run."""
    program = Path(command[0])
    if not program.is_absolute():
        return f"{command[0]} must be an absolute path"
    return None if os.access(program, os.X_OK) and program.is_file() else f"cannot run {program}"
