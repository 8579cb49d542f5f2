"""`/v1/responses/{id}`: what was kept of a response is given, listed, forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from emafusion.domain.errors import BadInput
from emafusion.gateway.face import EVENTS
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.parameters import choice_of, count_of, parameters_of
from emafusion.gateway.service import Service
from emafusion.gateway.shelving import NotKept, owner_of, shelf_of
from emafusion.store.shelf.kept import KeptResponse
from emafusion.wire.responses.kept import by_id, items_of
from emafusion.wire.responses.replay import replayed

_GET = frozenset({"include", "include_obfuscation", "starting_after", "stream"})
_LIST = frozenset({"after", "include", "limit", "order"})


async def get_response(request: Request, sender: Sender, service: Service) -> Response | None:
    """Give a response as it was, or its events again."""
    given = parameters_of(request.head.parameters, _GET)
    kept = await _kept(request, service)
    if choice_of(given, "stream", ("false", "true")) == "false":
        return Response(body=kept.body)
    after = given.get("starting_after", "-1")
    if not after.lstrip("-").isdigit():
        raise BadInput("expected the number of an event", where="starting_after")
    sender.start(EVENTS)
    sender.write(replayed(kept.body, after=int(after[:9])))
    sender.finish()
    return None


async def delete_response(request: Request, _sender: Sender, service: Service) -> Response:
    """Forget a response."""
    key = _id(request)
    if not await shelf_of(service).responses.drop(key, owner=owner_of(request)):
        raise _no_such(key)
    return Response(body=msgspec.json.encode({"id": key, "object": "response", "deleted": True}))


async def list_input_items(request: Request, _sender: Sender, service: Service) -> Response:
    """List the items of a response's input, the last first where nothing else is said."""
    given = parameters_of(request.head.parameters, _LIST)
    limit = count_of(given, "limit", default=20, most=100)
    order = choice_of(given, "order", ("desc", "asc"))
    items = items_of((await _kept(request, service)).items)
    page = _after(items if order == "asc" else items[::-1], given.get("after"))
    return Response(body=msgspec.json.encode(_listed(page[:limit], more=len(page) > limit)))


async def _kept(request: Request, service: Service) -> KeptResponse:
    key = _id(request)
    kept = await shelf_of(service).responses.get(key, owner=owner_of(request))
    if kept is None:
        raise _no_such(key)
    return kept


def _id(request: Request) -> str:
    return request.head.path.partition("/responses/")[2].removesuffix("/input_items")


def _no_such(key: str) -> NotKept:
    return NotKept(f"no response '{key[:80]}' is kept here", where="response_id")


def _after(items: Sequence[Raw], after: str | None) -> Sequence[Raw]:
    if after is None:
        return items
    ids = [key for key, _ in by_id(items)]
    if after not in ids:
        raise BadInput(f"no item '{after[:80]}' is in this list", where="after")
    return items[ids.index(after) + 1 :]


def _listed(items: Sequence[Raw], *, more: bool) -> Mapping[str, object]:
    ids = [key for key, _ in by_id(items)] or [""]
    return {
        "object": "list",
        "data": items,
        "first_id": ids[0],
        "last_id": ids[-1],
        "has_more": more,
    }
