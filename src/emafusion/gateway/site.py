"""What a connection needs of whoever answers behind it: the gateway, or a page of its own."""

from __future__ import annotations

from typing import Protocol

from emafusion.domain.errors import EmafusionError
from emafusion.gateway.app import Admitted
from emafusion.gateway.bodies import Bodies
from emafusion.gateway.http import Head, Request, Sender
from emafusion.gateway.limits import ClientLimits


class Site(Protocol):
    """Decides by a head whether a request is answered, and answers those that are whole."""

    @property
    def limits(self) -> ClientLimits:
        """How patient it is with its clients."""
        ...

    @property
    def max_body(self) -> int:
        """Bytes of a body at most."""
        ...

    @property
    def bodies(self) -> Bodies:
        """What the bodies of all requests hold in memory."""
        ...

    def admit(self, head: Head, /) -> Admitted:
        """Decide by its head whether a request is answered. Raises `EmafusionError`."""
        ...

    async def handle(self, request: Request, admitted: Admitted, sender: Sender, /) -> None:
        """Answer an admitted request, by an error where it comes to that."""
        ...

    def tell(self, error: EmafusionError, sender: Sender, head: Head, /) -> None:
        """Answer by an error, unless an answer has begun already."""
        ...

    async def finished(self, seconds: float, /) -> None:
        """Wait until no request is under way, so long at most."""
        ...
