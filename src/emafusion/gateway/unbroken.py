"""Work that is done to its end although whoever asked for it has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


async def unbroken(work: Coroutine[None, None, T]) -> tuple[T, bool]:
    """What the work gives, and whether the caller was cancelled meanwhile.

    The cancelling is not passed on: the caller has something to finish first, and says so after.
    """
    task, left = asyncio.ensure_future(work), False
    while True:
        try:
            return await asyncio.shield(task), left
        except asyncio.CancelledError:
            if task.done():
                raise
            left = True
