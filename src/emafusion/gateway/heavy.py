"""Work on a body, aside where it is large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from emafusion.gateway.aside import HEAVY_BYTES
from emafusion.gateway.service import Service

T = TypeVar("T")


async def worked(service: Service, size: int, work: Callable[[], T]) -> T:
    """What the work on so many bytes gives, without holding up others. Pure work only."""
    if size < HEAVY_BYTES:
        return work()
    done, left = await service.aside.do(work)
    if left:
        raise asyncio.CancelledError
    return done
