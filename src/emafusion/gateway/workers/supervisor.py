"""The parent's side of several workers: it starts, watches and restarts them, and passes on.

It answers no request and decides nothing. Workers obey what comes over their line alone, not
signals: a terminal or a service manager signals all processes at once, and a second signal means
haste. When the parent is gone, however it went, they finish what they have and end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Sequence

import msgspec

from emafusion.gateway.workers.control import (
    Begin,
    Line,
    LocalPlace,
    Message,
    Places,
    Renew,
    Renewed,
    Say,
    Telling,
    line_over,
)

QUICK_S = 5.0
"""Seconds; a worker that lived no longer is started again only after a pause that grows."""

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
RENEW_S = 120.0
"""Seconds that a worker may take to open another config."""

_log = logging.getLogger("emafusion")


class Worker:
    """One worker process and the line to it. `number`: its place, from 0; that one leads."""

    def __init__(self, number: int, process: asyncio.subprocess.Process, line: Line) -> None:
        self.number = number
        self.process = process
        self.line = line
        self.renewed: asyncio.Future[Renewed] | None = None


class Supervisor:
    """Keeps workers at work. Belongs to one event loop.

    `command`: starts a worker; the number of its end of the line is added. `sockets`: one for
    each worker; `admin`: the socket of the admin API, for the one that leads.
    """

    def __init__(
        self,
        command: Sequence[str],
        sockets: Sequence[socket.socket],
        *,
        config: bytes,
        source: str,
        admin: socket.socket | None = None,
    ) -> None:
        self._command = tuple(command)
        self._sockets = tuple(sockets)
        self._admin = admin
        self._config = config
        self._source = source
        self._places = Places(places=())
        self._workers: dict[int, Worker] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._renewals = 0
        self._turn = asyncio.Lock()
        self._failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ready = set[int]()
        self._changed = asyncio.Event()

    async def start(self) -> int:
        """Start all, the first one first; returns 0 once each is ready.

        Where one cannot begin all end, and its exit code is returned; it has said why.
        """
        for some in ((0,), range(1, len(self._sockets))):
            self._watching += [asyncio.ensure_future(self._keep(number)) for number in some]
            while len(self._ready) < len(self._watching) and not self._failed.done():
                self._changed.clear()
                changed = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait((changed, self._failed), return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
            if self._failed.done():
                await self.stop(0.0)
                return self._failed.result()
        return 0

    def announce(self) -> None:
        """Have the first one say, to people, that all are ready."""
        self.tell(Say(what="announce"), only=0)

    def tell(self, message: Message, *, only: int | None = None) -> None:
        """Send something to all workers, or to one."""
        for number, worker in self._workers.items():
            if only is None or number == only:
                worker.line.send(message)

    def place(self, places: tuple[LocalPlace, ...]) -> None:
        """Tell all how the models on this machine stand, and those that come later."""
        if places != self._places.places:
            self._places = Places(places=places)
            self.tell(self._places)

    async def renew(self, config: bytes) -> str | None:
        """Have all take another config, one after the other; why it was refused, else None.

        Where one refuses, those before it are given the old one back.
        """
        async with self._turn:
            old, done = self._config, list[Worker]()
            for worker in list(self._workers.values()):
                refused = await self._renewed(worker, config)
                if refused is not None:
                    for each in done:
                        await self._renewed(each, old)
                    return refused
                done.append(worker)
            self._config = config
            return None

    async def stop(self, within_s: float) -> None:
        """Have all finish what they have and end; killed after that time."""
        self._stopping.set()
        self.tell(Say(what="stop"))
        late = {watching for watching in self._watching if not watching.done()}
        if late and within_s > 0.0:
            _, late = await asyncio.wait(late, timeout=within_s)
        if late:
            for worker in self._workers.values():
                with contextlib.suppress(ProcessLookupError):
                    worker.process.kill()
            await asyncio.wait(late)

    async def _keep(self, number: int) -> None:
        """One place: a worker after the other."""
        short_lives, begun = 0, False
        while not self._stopping.is_set():
            started = asyncio.get_running_loop().time()
            worker = await self._spawn(number)
            code = await self._serve(worker)
            if self._stopping.is_set():
                return
            begun = begun or number in self._ready
            if not begun:
                if not self._failed.done():
                    self._failed.set_result(code)
                return
            lived_s = asyncio.get_running_loop().time() - started
            short_lives = short_lives + 1 if lived_s < QUICK_S else 0
            _log.error("worker %d ended (%s) and is started again", number, _how(code))
            if short_lives:
                pause_s = PAUSES_S[min(short_lives, len(PAUSES_S)) - 1]
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _spawn(self, number: int) -> Worker:
        ours, theirs = socket.socketpair()
        passed = [theirs.fileno(), self._sockets[number].fileno()]
        admin = self._admin.fileno() if self._admin is not None and number == 0 else None
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(theirs.fileno()),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=[*passed, *([] if admin is None else [admin])],
        )
        theirs.close()
        worker = Worker(number, process, await line_over(ours))
        worker.line.send(
            Begin(
                config=msgspec.Raw(self._config),
                source=self._source,
                socket=self._sockets[number].fileno(),
                admin_socket=admin,
                leads=number == 0,
            )
        )
        worker.line.send(self._places)
        self._workers[number] = worker
        return worker

    async def _serve(self, worker: Worker) -> int:
        """Hear a worker out until it ends; its exit code."""
        if self._stopping.is_set():
            worker.line.send(Say(what="stop"))
        while (message := await worker.line.receive()) is not None:
            self._heard(worker, message)
        code = await worker.process.wait()
        worker.line.close()
        if worker.renewed is not None and not worker.renewed.done():
            worker.renewed.set_result(Renewed(number=0, refused="a worker ended meanwhile"))
        return code

    def _heard(self, worker: Worker, message: Message) -> None:
        match message:
            case Telling():
                for other in self._workers.values():
                    if other is not worker:
                        other.line.send(message)
            case Renewed():
                if worker.renewed is not None and not worker.renewed.done():
                    worker.renewed.set_result(message)
            case _:
                self._ready.add(worker.number)
                self._changed.set()

    async def _renewed(self, worker: Worker, config: bytes) -> str | None:
        self._renewals += 1
        worker.renewed = asyncio.get_running_loop().create_future()
        worker.line.send(Renew(number=self._renewals, config=msgspec.Raw(config)))
        try:
            async with asyncio.timeout(RENEW_S):
                return (await worker.renewed).refused
        except TimeoutError:
            return f"a worker did not open it within {RENEW_S:g} s"
        finally:
            worker.renewed = None


def _how(code: int) -> str:
    """How a process ended, in words.

    >>> _how(1), _how(-9)
    ('exit code 1', 'signal 9')
    """
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def python_command(module: str) -> tuple[str, ...]:
    """How to run a module of ours in another process, whatever the folder."""
    return (sys.executable, "-P", "-m", module)
