"""From a path to what answers it, who is let in, and every error in the API's shape."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from emafusion.domain.errors import BadInput, EmafusionError, Failure
from emafusion.gateway.admission_refusal import OutOfLimit
from emafusion.gateway.answering import Handler, answering
from emafusion.gateway.asking import SESSION_HEADERS
from emafusion.gateway.batches import cancel_batch, create_batch, get_batch, list_batches
from emafusion.gateway.bodies import FORM, JSON, Bodies, Crowded, Kind, check_body
from emafusion.gateway.browsers import refuse_foreign
from emafusion.gateway.chat import CHAT
from emafusion.gateway.completions import complete
from emafusion.gateway.counting import counting
from emafusion.gateway.dry_run import dry_run
from emafusion.gateway.embeddings import embed
from emafusion.gateway.face import Face
from emafusion.gateway.feedback import give_feedback
from emafusion.gateway.files import delete_file, file_content, get_file, list_files, upload
from emafusion.gateway.generate import GENERATE, stream_generate
from emafusion.gateway.http import Head, Request, Response, Sender
from emafusion.gateway.keys import Keys, Unsure
from emafusion.gateway.limits import USUAL, ClientLimits
from emafusion.gateway.listing import health, list_models, one_model, ready
from emafusion.gateway.messages import COUNT, MESSAGES
from emafusion.gateway.metrics import metrics
from emafusion.gateway.published import openapi
from emafusion.gateway.responses import respond
from emafusion.gateway.responses_kept import delete_response, get_response, list_input_items
from emafusion.gateway.reuse.once import InUse
from emafusion.gateway.service import Service
from emafusion.store.keys.key import Key

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


class Route(Struct, frozen=True, eq=False):
    """Who answers at a path, by method, the API that the path belongs to, and what is posted."""

    handlers: Mapping[str, Handler]
    face: Face = CHAT
    kind: Kind = JSON


ROUTES: dict[str, Route] = {
    "/chat/completions": Route({"POST": answering(CHAT)}),
    "/messages": Route({"POST": answering(MESSAGES)}, MESSAGES),
    "/messages/count_tokens": Route({"POST": counting(COUNT)}, MESSAGES),
    "/completions": Route({"POST": complete}),
    "/embeddings": Route({"POST": embed}),
    "/files": Route({"POST": upload, "GET": list_files}, kind=FORM),
    "/files/*/content": Route({"GET": file_content}),
    "/files/*": Route({"GET": get_file, "DELETE": delete_file}),
    "/batches": Route({"POST": create_batch, "GET": list_batches}),
    "/batches/*/cancel": Route({"POST": cancel_batch}),
    "/batches/*": Route({"GET": get_batch}),
    "/responses": Route({"POST": respond}),
    "/responses/*/input_items": Route({"GET": list_input_items}),
    "/responses/*": Route({"GET": get_response, "DELETE": delete_response}),
    "/models/*:generateContent": Route({"POST": answering(GENERATE)}, GENERATE),
    "/models/*:streamGenerateContent": Route({"POST": stream_generate}, GENERATE),
    "/models/*:countTokens": Route({"POST": counting(GENERATE)}, GENERATE),
    "/route": Route({"POST": dry_run}),
    "/feedback": Route({"POST": give_feedback}),
    "/models": Route({"GET": list_models}),
    "/models/*": Route({"GET": one_model}),
    "/openapi.json": Route({"GET": openapi}),
    "/health": Route({"GET": health}),
    "/ready": Route({"GET": ready}),
    "/metrics": Route({"GET": metrics}),
}
"""Path below `/v1` (which may be missing or doubled: half of all set-up trouble) -> who answers.

`*` stands for anything but nothing; of several that fit, the first holds.
"""

FACES: tuple[tuple[str, Face], ...] = (("/messages", MESSAGES), ("/v1beta", GENERATE))
"""How paths of an API begin, with or without `/v1`; errors there have its shape."""

READ = (
    "x-emafusion-",
    "x-api-key",
    "x-goog-api-key",
    "authorization",
    "anthropic-",
    "content-encoding",
    "content-type",
    "origin",
    "idempotency-key",
    "traceparent",
    *SESSION_HEADERS,
)
"""Headers that the gateway itself reads, by how they begin."""

OPEN = frozenset({"/health", "/openapi.json", "/ready"})
"""Paths that need no key."""


class Admitted(Struct, frozen=True, kw_only=True, eq=False):
    """A request that is to be answered: by whom, and which key it came with.

    `unsure`: a key that must be looked up first; `is_open`: answered however many are under way.
    """

    handler: Handler
    key: Key | None = None
    unsure: Unsure | None = None
    is_open: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class App:
    """The gateway behind its sockets.

    `max_concurrent`: requests answered at once; `limits`: how patient it is with its clients;
    `bodies`: what their requests hold in memory.
    """

    service: Service
    keys: Keys = field(default_factory=Keys)
    max_concurrent: int = 1000
    limits: ClientLimits = USUAL
    bodies: Bodies = field(default_factory=Bodies)
    _under_way: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Let those who watch ask how many requests are under way."""
        self.service.watching.under_way = lambda: self._under_way

    @property
    def max_body(self) -> int:
        """Bytes of a body at most."""
        return self.service.max_body

    def admit(self, head: Head) -> Admitted:
        """Decide by its head whether a request is answered. Raises `BadInput` or `Denied`.

        It counts among those under way only from when it is handled: one whose body drips, or
        that was sent ahead, takes nobody's place.
        """
        path = path_below(head.path)
        route = route_of(path)
        if route is None:
            raise NotFound(f"there is no {head.path[:80]}; see /v1/models, /v1/chat/completions")
        handler = _handler(head, route)
        if head.repeated:
            _refuse_repeats(head)
        is_open = path in OPEN
        key = None if is_open else self.keys.check(face_of(head.path).credentials(head))
        if not is_open:
            self._refuse_busy()
            if key is None:
                refuse_foreign(head)
        if head.method == "POST":
            check_body(head, self.service.max_body, kind=route.kind, bodies=self.bodies)
        if isinstance(key, Unsure):
            return Admitted(handler=handler, unsure=key)
        return Admitted(handler=handler, key=key, is_open=is_open)

    def _refuse_busy(self) -> None:
        if self._under_way >= self.max_concurrent:
            raise Busy(f"{self.max_concurrent} requests are under way (gateway.max_concurrent)")

    async def handle(self, request: Request, admitted: Admitted, sender: Sender) -> None:
        """Answer an admitted request, by an error where it comes to that."""
        self._under_way += 1
        try:
            if not admitted.is_open and self._under_way > self.max_concurrent:
                self._refuse_busy()
            if admitted.unsure is not None:
                request = replace(request, key=await self.keys.look_up(admitted.unsure))
            response = await admitted.handler(request, sender, self.service)
            if response is not None:
                sender.respond(response)
        except EmafusionError as error:
            self.tell(error, sender, request.head)
        except Exception:  # noqa: BLE001 - the edge of the async driver: a bug ends one request, not the gateway
            _log.exception("a bug: %s %s", request.head.method, request.head.path)
            told = EmafusionError("internal error; the gateway's log has more")
            self.tell(told, sender, request.head)
        finally:
            self._under_way -= 1

    def tell(self, error: EmafusionError, sender: Sender, head: Head) -> None:
        """Answer by an error in the shape of the API asked, unless an answer has begun already."""
        if not sender.started:
            status, body = face_of(head.path).error(error)
            self.service.watching.refused(error, status)
            sender.respond(Response(status=status, body=body, headers=tuple(_headers(error))))

    async def finished(self, seconds: float) -> None:
        """Wait until no request is under way, so long at most."""
        for _ in range(int(seconds * 50)):
            if not self._under_way:
                return
            await asyncio.sleep(0.02)


def route_of(path: str) -> Route | None:
    """The route of a path below `/v1`; None where there is none."""
    route = ROUTES.get(path)
    if route is not None:
        return route
    return next((route for pattern, route in _PATTERNS if pattern.fullmatch(path)), None)


@lru_cache(maxsize=256)
def face_of(path: str) -> Face:
    """The face in whose shape an error at this path is told, whether or not it is there.

    >>> face_of("/v1/nothing") is CHAT
    True
    """
    below = path_below(path)
    named = next(
        (face for start, face in FACES if start in (path[: len(start)], below[: len(start)])), None
    )
    if named is not None:
        return named
    route = route_of(below)
    return CHAT if route is None else route.face


_PATTERNS = tuple(
    (re.compile(re.escape(path).replace(r"\*", ".+")), route)
    for path, route in ROUTES.items()
    if "*" in path
)


def _handler(head: Head, route: Route) -> Handler:
    handler = route.handlers.get("GET" if head.method == "HEAD" else head.method)
    if handler is None:
        raise WrongMethod(head.path, tuple(route.handlers))
    return handler


def _refuse_repeats(head: Head) -> None:
    """Raise `BadInput` for a header of ours that comes twice: which one holds?"""
    name = next((name for name in head.headers if name in head.repeated and _is_read(name)), None)
    if name is not None:
        raise BadInput("is given twice", where=name)


def _is_read(name: str) -> bool:
    return name.startswith(READ)


def _headers(error: EmafusionError) -> Iterator[tuple[str, str]]:
    if isinstance(error, WrongMethod):
        yield "allow", ", ".join(error.allowed)
    if isinstance(error, OutOfLimit):
        yield from error.headers
    wait_s = _wait_s(error)
    if wait_s is not None:
        yield "retry-after", str(max(1, math.ceil(wait_s)))


def _wait_s(error: EmafusionError) -> float | None:
    """When to come back: as the provider said, soon where it did not say and may be better then."""
    if isinstance(error, Busy | InUse | Crowded):
        return 1.0
    if not isinstance(error, Failure):
        return None
    may_pass = error.retryable and error.client_status in {429, 503}
    return 1.0 if error.retry_after_s is None and may_pass else error.retry_after_s


@lru_cache(maxsize=256)
def path_below(path: str) -> str:
    """The path below `/v1` or `/v1beta`, however often that is there, and however many slashes.

    >>> path_below("/v1/v1/models/"), path_below("/models"), path_below("//v1//models")
    ('/models', '/models', '/models')
    """
    return "/" + re.sub(r"^(/+v1(beta)?)*(/+|$)", "", path).rstrip("/")
