"""Another artifact in a running gateway: read aside, checked, then put in place at once.

Requests under way end on the parts they began with; those that come after begin on the new ones.
An artifact that is wrong changes nothing: it is told, and the old one goes on serving.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from emafusion.domain.errors import EmafusionError
from emafusion.flow.parts import Parts

LOOK_S = 2.0
"""Seconds between looks at the file of the card; a look is one `stat` in a thread."""

Mark = tuple[int, ...] | None
"""What changes when a file does; None where there is none."""

_log = logging.getLogger("emafusion")


class Decides(Protocol):
    """Whoever decides by parts that can be changed.

    `refused`: why the artifact on disk was not taken over, None where it decides.
    """

    parts: Parts
    refused: str | None


class Reloader:
    """Keeps the parts of a service those of the artifact on disk.

    `read`: makes parts of what is there now, and raises an `EmafusionError` where it is wrong; run
    in a thread. `look`: the mark of what is there now. `seen`: the mark of what is served.
    """

    def __init__(
        self,
        service: Decides,
        read: Callable[[], Parts],
        look: Callable[[], Mark],
        *,
        seen: Mark = None,
        look_s: float = LOOK_S,
    ) -> None:
        self._service = service
        self._read = read
        self._look = look
        self._seen = seen
        self._look_s = look_s
        self._asked = asyncio.Event()
        self._turn = asyncio.Lock()

    def ask(self) -> None:
        """Have the artifact read again now, changed or not; to be called on the event loop."""
        self._asked.set()

    async def watch(self) -> None:
        """Reload whenever the artifact changes or somebody asks, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self._look_s)
            mark = await asyncio.to_thread(self._look)
            if self._asked.is_set() or mark != self._seen:
                self._asked.clear()
                self._seen = mark
                await self.reload()

    async def reload(self) -> bool:
        """Take over what is on disk now; whether other parts decide from here on."""
        async with self._turn:
            try:
                parts = await asyncio.to_thread(self._read)
            except EmafusionError as error:
                self._service.refused = str(error)
                _log.error("%s; the artifact in use stays: %s", error, self._service.parts.artifact)
                return False
            self._service.refused = None
            before = self._service.parts.artifact
            if parts.artifact == before:
                return False
            self._service.parts = parts
            # A warning, so that it is seen where nobody set up logging: who decides has changed.
            _log.warning(
                "artifact %s decides from now on, before it was %s", parts.artifact, before
            )
            return True
