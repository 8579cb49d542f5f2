"""Work that would hold up everybody else: done beside the event loop.

A request with a hundred thousand messages takes a second to read, to encode and to log. Python
lets the loop have its turn every few milliseconds while a thread works, so others hardly notice.
One thread does it for all, so that many such requests wait for each other and for nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

HEAVY_BYTES = 128 * 1024
"""Size of a body from which its request is worked on aside; below, the way there costs more."""


class Aside:
    """The thread, which is started when it is first needed."""

    __slots__ = ("_thread",)

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None

    async def do(self, work: Callable[[], T]) -> tuple[T, bool]:
        """What the work gives, and whether the caller was cancelled meanwhile.

        It is done to its end in any case: what it works on must not be touched before.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="aside")
        task = asyncio.get_running_loop().run_in_executor(self._thread, work)
        left = False
        while True:
            try:
                return await asyncio.shield(task), left
            except asyncio.CancelledError:
                if task.cancelled():
                    raise
                left = True

    def close(self) -> None:
        """Let the thread end."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)
