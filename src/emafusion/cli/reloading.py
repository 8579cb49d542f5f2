"""A config that is read again while the gateway serves: checked first, refused when it is wrong."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Protocol

from emafusion.cli.configured import configured
from emafusion.cli.printable import one_line
from emafusion.cli.status import Status
from emafusion.config import Config, with_address
from emafusion.domain.errors import BadInput, EmafusionError

FIXED = (
    ("gateway", "host"),
    ("gateway", "port"),
    ("gateway", "workers"),
    ("admin", "host"),
    ("admin", "port"),
)
"""What cannot change while a gateway serves."""

_log = logging.getLogger("emafusion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line said."""

    path: str | None
    host: str | None
    port: int | None
    workers: int | None

    async def config(self) -> tuple[Config, str]:
        """The config with what the command line said, and where it is from. Raises `BadInput`."""
        found = await configured(self.path)
        config = with_address(found.config, host=self.host, port=self.port, workers=self.workers)
        return config, found.source

    def at(self, port: int) -> Asked:
        """The same, where any free port was asked for and this one was given."""
        return replace(self, port=port) if self.port == 0 else self


class Obeys(Protocol):
    """Whatever serves: told to read its artifact again, or to end."""

    def reread(self) -> None:
        """Read the artifact again."""
        ...

    def stop(self) -> None:
        """End, and at once if it was told already."""
        ...


class Reloading:
    """Reads the config again when asked, one time after the other."""

    def __init__(
        self,
        config: Config,
        asked: Asked,
        status: Status,
        *,
        renew: Callable[[Config], Awaitable[None]],
        others: Obeys,
    ) -> None:
        self._config = config
        self._asked = asked
        self._status = status
        self._renew = renew
        self._others = others
        self._turn = asyncio.Lock()
        self._tasks = set[asyncio.Task[None]]()

    def ask(self) -> None:
        """Read it again now; to be called on the event loop."""
        task = asyncio.ensure_future(self.reload())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reload(self) -> None:
        """Take over the config as it is now, or say why not."""
        async with self._turn:
            refused = None
            try:
                await self._take()
            except EmafusionError as error:
                refused = _one_line(error)
                _log.error("%s; the config in use stays", refused)
            self._status.reloaded(refused)

    async def _take(self) -> None:
        fresh, _ = await self._asked.config()
        _refuse_fixed(self._config, fresh)
        if fresh == self._config:
            self._others.reread()
            return
        await self._renew(fresh)
        self._config = fresh
        # A warning, so that it is seen where nobody set up logging.
        _log.warning("another config is in use from now on")


@contextmanager
def told_by_signals(
    config: Config,
    asked: Asked,
    status: Status,
    *,
    renew: Callable[[Config], Awaitable[None]],
    others: Obeys,
) -> Generator[None]:
    """While inside, SIGINT and SIGTERM end it, SIGHUP and SIGUSR1 have the config read again.

    Not SIGHUP where a terminal is in front: there it says that the window was closed.
    """
    reloading = Reloading(config, asked, status, renew=renew, others=others)
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(others.stop)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    again = _reload_signals()
    for each in again:
        loop.add_signal_handler(each, reloading.ask)
    try:
        yield
    finally:
        for each in again:
            loop.remove_signal_handler(each)
        for each, handler in before.items():
            signal.signal(each, handler)


def _reload_signals() -> tuple[signal.Signals, ...]:
    if sys.platform == "win32":
        return ()
    in_front = sys.stdin is not None and sys.stdin.isatty()
    return (signal.SIGUSR1,) if in_front else (signal.SIGUSR1, signal.SIGHUP)


def _refuse_fixed(old: Config, new: Config) -> None:
    for section, key in FIXED:
        was, wanted = (getattr(getattr(config, section), key) for config in (old, new))
        if was != wanted:
            what = f"cannot change while the gateway serves (from {was} to {wanted}): restart it"
            raise BadInput(what, where=f"{section}.{key}")


def _one_line(error: EmafusionError) -> str:
    first, *more = str(error).splitlines() or [""]
    return one_line(first if not more else f"{first} (and {len(more)} more)")
