"""The event loop that verbs run on, and how it is stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType


def run(work: Coroutine[None, None, None]) -> None:
    """Run the work on the fastest event loop there is here."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


async def until_stopped(serving: asyncio.Future[None], watching: asyncio.Future[None]) -> None:
    """Wait until the server ends or is told to by SIGINT or SIGTERM, which is no error.

    Ends it too where `watching` raises, and raises that.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        serving.cancel()

    # A server handles these itself once it is up, and raises them again when it has stopped.
    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    watching.add_done_callback(lambda done: serving.cancel() if _failed(done) else None)
    try:
        await asyncio.wait((serving,))
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if not serving.cancelled():
        serving.result()
    if _failed(watching):
        watching.result()


def _failed(task: asyncio.Future[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
