"""`/v1/batches`: many requests at once, answered when there is time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from emafusion.domain.errors import BadInput
from emafusion.gateway.batch_object import batch_object
from emafusion.gateway.files import LONGEST_S, PURPOSE, SHORTEST_S, listed
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.parameters import count_of, parameters_of
from emafusion.gateway.service import Service
from emafusion.gateway.shelving import NotKept, owner_of, shelf_of
from emafusion.store.shelf.kept import Batch, Page
from emafusion.wire import faults
from emafusion.wire.body import fields_of
from emafusion.wire.responses.params import Metadata

WINDOW_S = 86_400.0
"""How long a batch may take: the API knows only a day."""

MOST_UNDER_WAY = 50
"""Batches of one key that are not over yet."""

Endpoint = Literal["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"]
_LIST = frozenset({"after", "limit"})


class TooMany(BadInput):
    """The key has as many batches under way as it may."""

    status = 429
    code = "too_many_batches"


class _Expiry(Struct):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Meta(ge=SHORTEST_S, le=LONGEST_S)]


class Params(Struct):
    """The whole body."""

    input_file_id: str
    endpoint: Endpoint
    completion_window: Literal["24h"]
    metadata: Metadata | None = None
    output_expires_after: _Expiry | None = None


async def create_batch(request: Request, _sender: Sender, service: Service) -> Response:
    """Begin a batch; it is checked and answered in the background."""
    known = Params.__struct_fields__
    for name, _ in fields_of(request.body):
        if name not in known:
            raise BadInput("is not known here", where=name[:60])
    params = faults.decode(request.body, Params)
    owner, shelf = owner_of(request), shelf_of(service)
    file = await shelf.files.get(params.input_file_id, owner=owner)
    if file is None or file.purpose != PURPOSE:
        what = f"no file '{params.input_file_id[:80]}' for batches is kept here"
        raise NotKept(what, where="input_file_id")
    now, expiry = time.time(), params.output_expires_after
    batch = Batch(
        id=f"batch_{secrets.token_hex(12)}",
        owner=owner,
        created_at=now,
        expires_at=now + WINDOW_S,
        endpoint=params.endpoint,
        input_file=file.id,
        metadata=params.metadata,
        output_lasts_s=None if expiry is None else expiry.seconds,
    )
    if not await shelf.batches.put(batch, most=MOST_UNDER_WAY):
        raise TooMany(f"{MOST_UNDER_WAY} batches are under way; wait for some, or cancel them")
    service.wake_batches()
    return await _told(batch, service)


async def get_batch(request: Request, _sender: Sender, service: Service) -> Response:
    """Tell how a batch stands."""
    return await _told(await _kept(request, service), service)


async def list_batches(request: Request, _sender: Sender, service: Service) -> Response:
    """List batches, the newest first."""
    given = parameters_of(request.head.parameters, _LIST)
    limit = count_of(given, "limit", default=20, most=100)
    page = Page(limit=limit + 1, after=given.get("after"))
    try:
        found = await shelf_of(service).batches.page_of(page, owner=owner_of(request))
    except KeyError:
        raise _no_such(given.get("after", ""), where="after") from None
    told = [await _object(batch, service) for batch in found[:limit]]
    return Response(body=msgspec.json.encode(listed(told, more=len(found) > limit)))


async def cancel_batch(request: Request, _sender: Sender, service: Service) -> Response:
    """End a batch; what is answered by then stays."""
    batch = await _kept(request, service)
    old = frozenset({"validating", "in_progress"})
    later = replace(batch, status="cancelling", at={**batch.at, "cancelling": time.time()})
    if not await shelf_of(service).batches.move(later, old=old):
        now = await _kept(request, service)
        if now.status not in {"cancelling", "cancelled"}:
            raise BadInput(f"it is {now.status}, so it cannot be cancelled", where="batch_id")
        return await _told(now, service)
    service.wake_batches()
    return await _told(later, service)


async def _kept(request: Request, service: Service) -> Batch:
    key = request.head.path.partition("/batches/")[2].removesuffix("/cancel")
    batch = await shelf_of(service).batches.get(key, owner=owner_of(request))
    if batch is None:
        raise _no_such(key)
    return batch


def _no_such(key: str, where: str = "batch_id") -> NotKept:
    return NotKept(f"no batch '{key[:80]}' is kept here", where=where)


async def _told(batch: Batch, service: Service) -> Response:
    return Response(body=msgspec.json.encode(await _object(batch, service)))


async def _object(batch: Batch, service: Service) -> Mapping[str, object]:
    counts = batch.counts or await shelf_of(service).batches.counts(batch.id)
    return batch_object(batch, counts)
