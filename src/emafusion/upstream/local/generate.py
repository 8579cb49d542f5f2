"""From the engine's thread to the event loop: one generation as an async iterator of events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TypeAlias

from .engine import Engine
from .generation import Done, Event, Failed, Job

Generate: TypeAlias = Callable[[Job], AsyncGenerator[Event, None]]


def generator(engine: Engine) -> Generate:
    """`generate(job)` over `engine`: its events, `Done` or `Failed` last; closing it cancels."""

    async def generate(job: Job) -> AsyncGenerator[Event, None]:
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event] = asyncio.Queue()

        def tell(event: Event) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(events.put_nowait, event)

        ticket = engine.submit(job, tell)
        try:
            while True:
                event = await events.get()
                yield event
                if isinstance(event, (Done, Failed)):
                    return
        finally:
            ticket.cancel()

    return generate
