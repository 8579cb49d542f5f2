"""From a path to what answers it, who is let in, and every error in the API's shape."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from msgspec import Struct

from emafusion.domain.errors import BadInput, EmafusionError, Failure
from emafusion.gateway.asking import SESSION_HEADERS
from emafusion.gateway.chat import chat
from emafusion.gateway.dry_run import dry_run
from emafusion.gateway.http import Head, Request, Response, Sender, TooLarge, WrongEncoding
from emafusion.gateway.keys import Keys
from emafusion.gateway.listing import health, list_models, one_model, ready
from emafusion.gateway.service import Service
from emafusion.wire.openai import encode_error

Handler = Callable[[Request, Sender, Service], Awaitable[Response | None]]
"""Gives the response, or None where it has sent one in pieces."""

_log = logging.getLogger("emafusion")


class NotFound(BadInput):
    """No such path."""

    status = 404
    code = "not_found"


class WrongMethod(BadInput):
    """The path is there, the method is not."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{path[:80]} takes {', '.join(allowed)}")
        self.allowed = allowed


class Busy(BadInput):
    """As many requests as this gateway takes at once are under way."""

    status = 429
    code = "too_many_requests"


ROUTES: dict[str, dict[str, Handler]] = {
    "/chat/completions": {"POST": chat},
    "/route": {"POST": dry_run},
    "/models": {"GET": list_models},
    "/models/*": {"GET": one_model},
    "/health": {"GET": health},
    "/ready": {"GET": ready},
}
"""Path below `/v1` (which may be missing or doubled: half of all set-up trouble) -> handlers."""

READ = ("x-emafusion-", "x-api-key", "authorization", "content-encoding", *SESSION_HEADERS)
"""Headers that the gateway itself reads, by how they begin."""

OPEN = frozenset({"/health", "/ready"})
"""Paths that need no key."""


class Admitted(Struct, frozen=True, kw_only=True, eq=False):
    """A request that is to be answered: by whom, and which key it came with."""

    handler: Handler
    key_id: str | None


@dataclass(slots=True, kw_only=True, eq=False)
class App:
    """The gateway behind its sockets. `max_concurrent`: requests answered at once."""

    service: Service
    keys: Keys = field(default_factory=Keys)
    max_concurrent: int = 1000
    _under_way: int = field(default=0, init=False)

    def admit(self, head: Head) -> Admitted:
        """Decide by its head whether a request is answered; then it is handled, or `leave` called.

        Raises `BadInput` or `Denied`.
        """
        path, handler = _found(head)
        if head.repeated:
            _refuse_repeats(head)
        is_open = path in OPEN
        key_id = None if is_open else self.keys.check(head.headers)
        if self._under_way >= self.max_concurrent and not is_open:
            raise Busy(f"{self.max_concurrent} requests are under way (gateway.max_concurrent)")
        if head.method == "POST":
            _check_body(head, self.service.max_body)
        self._under_way += 1
        return Admitted(handler=handler, key_id=key_id)

    def leave(self) -> None:
        """An admitted request is over."""
        self._under_way -= 1

    async def handle(self, request: Request, handler: Handler, sender: Sender) -> None:
        """Answer an admitted request, by an error where it comes to that."""
        try:
            response = await handler(request, sender, self.service)
            if response is not None:
                sender.respond(response)
        except EmafusionError as error:
            self.tell(error, sender)
        except Exception:  # noqa: BLE001 - the edge of the async driver: a bug ends one request, not the gateway
            _log.exception("a bug: %s %s", request.head.method, request.head.path)
            self.tell(EmafusionError("internal error; the gateway's log has more"), sender)
        finally:
            self.leave()

    def tell(self, error: EmafusionError, sender: Sender) -> None:
        """Answer by an error, unless an answer has begun already."""
        if not sender.started:
            status, body = encode_error(error)
            sender.respond(Response(status=status, body=body, headers=tuple(_headers(error))))

    async def finished(self, seconds: float) -> None:
        """Wait until no request is under way, so long at most."""
        for _ in range(int(seconds * 50)):
            if not self._under_way:
                return
            await asyncio.sleep(0.02)


def _found(head: Head) -> tuple[str, Handler]:
    """The path as in `ROUTES`, and who answers there."""
    path = path_below(head.path)
    handlers = ROUTES.get(path) or ROUTES.get(re.sub(r"^/models/.+", "/models/*", path))
    if handlers is None:
        raise NotFound(f"there is no {head.path[:80]}; see /v1/models, /v1/chat/completions")
    handler = handlers.get("GET" if head.method == "HEAD" else head.method)
    if handler is None:
        raise WrongMethod(head.path, tuple(handlers))
    return path, handler


def _refuse_repeats(head: Head) -> None:
    """Raise `BadInput` for a header of ours that comes twice: which one holds?"""
    name = next((name for name in head.headers if name in head.repeated and _is_read(name)), None)
    if name is not None:
        raise BadInput("is given twice", where=name)


def _is_read(name: str) -> bool:
    return name.startswith(READ)


def _check_body(head: Head, limit: int) -> None:
    """Refuse a body that need not be read to know that it cannot be taken."""
    encoding = head.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        what = f"must not be compressed, got {encoding[:40]!r}"
        raise WrongEncoding(what, where="content-encoding")
    told = head.headers.get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise TooLarge.over(limit)


def _headers(error: EmafusionError) -> Iterator[tuple[str, str]]:
    if isinstance(error, WrongMethod):
        yield "allow", ", ".join(error.allowed)
    wait_s = error.retry_after_s if isinstance(error, Failure) else None
    wait_s = 1.0 if isinstance(error, Busy) else wait_s
    if wait_s is not None:
        yield "retry-after", str(max(1, math.ceil(wait_s)))


@lru_cache(maxsize=256)
def path_below(path: str) -> str:
    """The path below `/v1`, however often that is there.

    >>> path_below("/v1/v1/models/"), path_below("/models")
    ('/models', '/models')
    """
    return re.sub(r"^(/v1)+(?=/|$)", "", path).rstrip("/") or "/"
