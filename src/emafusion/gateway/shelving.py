"""The shelf as handlers see it: whose things they are, and what is told where there is none."""

from __future__ import annotations

import logging

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Request
from emafusion.gateway.service import Service
from emafusion.store.shelf.ports import Shelf

log = logging.getLogger("emafusion")


class NotKept(BadInput):
    """Nothing of that id is kept here for this key."""

    status = 404
    code = "not_found"


class NoShelf(BadInput):
    """This gateway keeps nothing for its clients."""

    code = "not_kept_here"


def owner_of(request: Request) -> str:
    """Whose things a request may see: those of its key; of everybody where keys are off."""
    return request.key_id or ""


def shelf_of(service: Service) -> Shelf:
    """The shelf. Raises `NoShelf` where there is none."""
    if service.shelf is None:
        raise NoShelf("nothing is kept here (no shelf was opened)")
    return service.shelf
