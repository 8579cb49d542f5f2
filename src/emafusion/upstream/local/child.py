r"""The parent's side of a local model: a child process, started, watched, restarted, stopped.

    stopped -> starting -> ready -> (the child dies) restarting -> ready ...
                   \-> failed: it cannot start, and `reason` says in one line what to do

The parent binds the port and the child inherits it. So the address is known at once and stays the
same, a request that comes while the model loads waits in the kernel's queue instead of failing,
and once the state is `failed` the port is closed and requests are refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from typing_extensions import override

from .errors import ChildError
from .process import ChildProcess, spawn

ChildState: TypeAlias = Literal["stopped", "starting", "ready", "restarting", "failed"]

_BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # then it is given up
_STEADY_S = 60.0  # after a life this long, counting failures in a row begins anew


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpec:
    """What to run.

    `name`: None offers the embedded pool's actions, else the one model under that name.
    `start_timeout_s` covers loading and, for a file that must be requantised first, that too.
    """

    model: Path
    name: str | None = None
    cache_dir: Path | None = None
    threads: int = 1
    default_max_tokens: int = 512
    start_timeout_s: float = 180.0

    def arguments(self) -> list[str]:
        """Command line of the child."""
        named = [] if self.name is None else ["--name", self.name]
        cached = [] if self.cache_dir is None else ["--cache-dir", str(self.cache_dir)]
        numbers = [
            "--threads",
            str(self.threads),
            "--default-max-tokens",
            str(self.default_max_tokens),
        ]
        return ["--model", str(self.model), *named, *cached, *numbers]


class LocalServer:
    """A local model behind an OpenAI-compatible address on loopback."""

    def __init__(self, spec: LocalSpec) -> None:
        self.api_key = secrets.token_urlsafe(24)
        self.restarts = 0
        self._spec = spec
        self._state: ChildState = "stopped"
        self._reason: str | None = None
        self._listener: socket.socket | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._child: ChildProcess | None = None
        self._settled = asyncio.Event()  # set in the states ready, failed and stopped

    @override
    def __repr__(self) -> str:
        """Without the key."""
        return f"LocalServer(model={str(self._spec.model)!r}, state={self._state!r})"

    @property
    def state(self) -> ChildState:
        """Where it is now."""
        return self._state

    @property
    def reason(self) -> str | None:
        """Why it failed or restarted last, in one line."""
        return self._reason

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT/v1`; raises `ChildError` before `start` and after a failure."""
        if self._listener is None:
            raise ChildError(self._reason or "the local model is not started")
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def start(self) -> None:
        """Bind the port and load in the background; returns at once. Needs a running event loop."""
        if self._supervisor is not None:
            return
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self._enter("starting")
        self._supervisor = asyncio.create_task(
            self._supervise(self._listener), name="local-model-supervisor"
        )

    async def wait_ready(self) -> None:
        """Wait until it answers; raises `ChildError` with a line for people if it cannot."""
        await self._settled.wait()
        if self._state != "ready":
            raise ChildError(self._reason or "the local model is not started")

    async def stop(self) -> None:
        """End the child (asked first, killed after 5 s) and close the port. Any number of times."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._end_child()
        self._close()
        self._enter("stopped")

    async def _supervise(self, listener: socket.socket) -> None:
        failures = 0
        while failures <= len(_BACKOFF_S):
            started = asyncio.get_running_loop().time()
            fatal = await self._run_once(listener)
            if fatal:
                break
            lived_s = asyncio.get_running_loop().time() - started
            failures = 1 if lived_s > _STEADY_S else failures + 1
            if failures <= len(_BACKOFF_S):
                self._enter("restarting")
                self.restarts += 1
                await asyncio.sleep(_BACKOFF_S[failures - 1])
        self._close()
        self._enter("failed")

    async def _run_once(self, listener: socket.socket) -> bool:
        """One life of the child; True if starting it again is of no use."""
        self._child = await spawn(
            self._spec.arguments(), listen_fd=listener.fileno(), api_key=self.api_key
        )
        if await self._child.ready(self._spec.start_timeout_s):
            self._enter("ready")
        code = await self._child.wait()
        self._reason = self._child.last_line or f"the local model's process ended with code {code}"
        return code == 2  # its way to say that it cannot start: nothing changes by trying again

    async def _end_child(self) -> None:
        if self._child is not None:
            await self._child.end()
            self._child = None

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _enter(self, state: ChildState) -> None:
        self._state = state
        if state in ("ready", "failed", "stopped"):
            self._settled.set()
        else:
            self._settled.clear()
