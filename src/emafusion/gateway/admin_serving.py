"""The admin API on its socket, as long as the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from emafusion.domain.errors import Unready
from emafusion.gateway.admin import AdminApp
from emafusion.gateway.server import bind, serve


@asynccontextmanager
async def administered(
    app: AdminApp | None, host: str, port: int, *, announce: Callable[[str, int], None]
) -> AsyncGenerator[None, None]:
    """While inside, the admin API answers; no `app`, no API.

    `announce` is told the address once it does. Raises `Unready` where it is taken.
    """
    if app is None:
        yield
        return
    try:
        listener = bind(host, port)
    except Unready as error:
        why = str(error).partition(";")[0]
        raise Unready(f"{why}; choose another admin.port") from error
    address = listener.getsockname()[:2]
    serving = asyncio.ensure_future(serve(app, listener, lambda: announce(*address), grace_s=1))
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
