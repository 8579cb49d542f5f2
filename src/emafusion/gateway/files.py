"""`/v1/files`: what batches read and write."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.parameters import choice_of, count_of, parameters_of
from emafusion.gateway.service import Service
from emafusion.gateway.shelving import NotKept, owner_of, shelf_of
from emafusion.store.shelf.kept import KeptFile, Page
from emafusion.wire.multipart import FormPart, parse_form

PURPOSE = "batch"
SHORTEST_S, LONGEST_S = 3600, 2_592_000
"""How long a file may ask to be kept: an hour to thirty days."""

_FIELDS = frozenset({"file", "purpose", "expires_after[anchor]", "expires_after[seconds]"})
_LIST = frozenset({"after", "limit", "order", "purpose"})


class NoRoom(BadInput):
    """The files that are kept here have no room for another."""

    status = 413
    code = "no_room"


async def upload(request: Request, _sender: Sender, service: Service) -> Response:
    """Keep a file."""
    parts = _named(parse_form(request.head.headers.get("content-type", ""), request.body))
    content = parts.get("file")
    if content is None or content.filename is None:
        raise BadInput("is required: a part with a filename", where="file")
    if not content.data.strip():
        raise BadInput("is empty", where="file")
    _check_purpose(parts)
    now = time.time()
    lasts_s = _lasts_s(parts)
    file = KeptFile(
        id=f"file-{secrets.token_hex(12)}",
        owner=owner_of(request),
        created_at=now,
        filename=content.filename or "upload",
        purpose=PURPOSE,
        size=len(content.data),
        expires_at=None if lasts_s is None else now + lasts_s,
    )
    if not await shelf_of(service).files.put(file, content.data):
        raise NoRoom("the files kept here leave no room for it (log.max_mb); delete some")
    return Response(body=msgspec.json.encode(file_object(file)))


async def list_files(request: Request, _sender: Sender, service: Service) -> Response:
    """List files, the newest first where nothing else is said."""
    given = parameters_of(request.head.parameters, _LIST)
    limit = count_of(given, "limit", default=10_000, most=10_000)
    newest_first = choice_of(given, "order", ("desc", "asc")) == "desc"
    page = Page(limit=limit + 1, after=given.get("after"), newest_first=newest_first)
    try:
        files = await shelf_of(service).files.page_of(
            page, owner=owner_of(request), purpose=given.get("purpose")
        )
    except KeyError:
        raise _no_such(given.get("after", ""), where="after") from None
    body = listed([file_object(file) for file in files[:limit]], more=len(files) > limit)
    return Response(body=msgspec.json.encode(body))


async def get_file(request: Request, _sender: Sender, service: Service) -> Response:
    """Tell of a file."""
    return Response(body=msgspec.json.encode(file_object(await _kept(request, service))))


async def delete_file(request: Request, _sender: Sender, service: Service) -> Response:
    """Forget a file."""
    key = _id(request)
    if not await shelf_of(service).files.drop(key, owner=owner_of(request)):
        raise _no_such(key)
    return Response(body=msgspec.json.encode({"id": key, "object": "file", "deleted": True}))


async def file_content(request: Request, sender: Sender, service: Service) -> Response | None:
    """Give what is in a file."""
    file = await _kept(request, service)
    if request.head.method == "HEAD":
        return Response(body=b"")
    pieces = shelf_of(service).files.content(file)
    sender.start((("content-type", "application/octet-stream"),))
    async for piece in pieces:
        sender.write(piece)
        if sender.congested:
            await sender.drained()
    sender.finish()
    return None


def file_object(file: KeptFile) -> Mapping[str, object]:
    """A file as the API tells of it."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": int(file.created_at),
        "expires_at": None if file.expires_at is None else int(file.expires_at),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def listed(data: Sequence[Mapping[str, object]], *, more: bool) -> Mapping[str, object]:
    """A list as the API gives it."""
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": more,
    }


async def _kept(request: Request, service: Service) -> KeptFile:
    key = _id(request)
    file = await shelf_of(service).files.get(key, owner=owner_of(request))
    if file is None or (file.expires_at is not None and file.expires_at < time.time()):
        raise _no_such(key)
    return file


def _id(request: Request) -> str:
    return request.head.path.partition("/files/")[2].removesuffix("/content")


def _no_such(key: str, where: str = "file_id") -> NotKept:
    return NotKept(f"no file '{key[:80]}' is kept here", where=where)


def _named(parts: tuple[FormPart, ...]) -> Mapping[str, FormPart]:
    found: dict[str, FormPart] = {}
    for part in parts:
        if part.name not in _FIELDS:
            raise BadInput("is not known here", where=part.name[:60])
        if part.name in found:
            raise BadInput("is given twice", where=part.name)
        found[part.name] = part
    return found


def _check_purpose(parts: Mapping[str, FormPart]) -> None:
    given = _text(parts, "purpose")
    if given is None:
        raise BadInput("is required", where="purpose")
    if given != PURPOSE:
        what = f"files are kept for batches here: expected '{PURPOSE}', got {given[:40]!r}"
        raise BadInput(what, where="purpose")


def _lasts_s(parts: Mapping[str, FormPart]) -> int | None:
    anchor, text = _text(parts, "expires_after[anchor]"), _text(parts, "expires_after[seconds]")
    if anchor is None and text is None:
        return None
    if anchor != "created_at":
        raise BadInput("must be 'created_at'", where="expires_after[anchor]")
    if text is None or not text.isascii() or not text.isdigit():
        raise BadInput("expected a number of seconds", where="expires_after[seconds]")
    if not SHORTEST_S <= int(text[:9]) <= LONGEST_S:
        raise BadInput(f"must be {SHORTEST_S} to {LONGEST_S}", where="expires_after[seconds]")
    return int(text)


def _text(parts: Mapping[str, FormPart], name: str) -> str | None:
    part = parts.get(name)
    return None if part is None else part.data.decode("utf-8", "replace")
