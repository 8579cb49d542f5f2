"""Administration by HTTP, on a port of its own: keys, and what they spend.

Off unless the config names a port, and behind a token of its own: neither does a client's key open
it, nor does the token let anybody ask a model. Nothing of it is reachable on the public port.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct
from typing_extensions import override

from emafusion.domain.errors import BadInput, Denied, Unready
from emafusion.gateway.admin_work import (
    Work,
    edit_key,
    list_keys,
    make_key,
    revoke_key,
    rotate_key,
    show_key,
    tell_spend,
    tell_usage,
)
from emafusion.gateway.answering import Handler
from emafusion.gateway.app import Admitted, App, NotFound, WrongMethod
from emafusion.gateway.http import Head, Request, Response, Sender, TooLarge
from emafusion.gateway.key_desk import KeyDesk
from emafusion.gateway.metrics import metrics
from emafusion.gateway.service import Service
from emafusion.store.keys.secret import digest_of

MOST_BYTES = 64 * 1024
"""Of a body."""

SHORTEST_TOKEN = 16


class WrongToken(Denied):
    """Missing or wrong admin token."""

    code = "invalid_admin_token"


class Place(Struct, frozen=True, eq=False):
    """A path, `*` standing for a key's id or name, and what is done there by method."""

    path: str
    work: Mapping[str, Work]


PLACES = (
    Place("/admin/keys", {"GET": list_keys, "POST": make_key}),
    Place("/admin/keys/*", {"GET": show_key, "PATCH": edit_key, "DELETE": revoke_key}),
    Place("/admin/keys/*/rotate", {"POST": rotate_key}),
    Place("/admin/keys/*/usage", {"GET": tell_usage}),
    Place("/admin/spend", {"GET": tell_spend}),
)

_PATTERNS = tuple(
    (re.compile(re.escape(place.path).replace(r"\*", "([^/]+)")), place) for place in PLACES
)


@dataclass(slots=True, kw_only=True, eq=False)
class AdminApp(App):
    """The admin API behind its socket. `token`: digest of what it asks for."""

    desk: KeyDesk
    token: bytes

    @override
    def __post_init__(self) -> None:
        """Nobody watches how many of its requests are under way."""

    @override
    def admit(self, head: Head) -> Admitted:
        """Decide by its head, the token first: nothing is told to whoever has none."""
        if head.path == "/health":
            return Admitted(handler=_healthy, is_open=True)
        self._check_token(head)
        return Admitted(handler=self._handler(head))

    def _check_token(self, head: Head) -> None:
        if "authorization" in head.repeated:
            raise BadInput("is given twice", where="authorization")
        kind, _, given = head.headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(digest_of(given.strip()), self.token)
        if kind.lower() != "bearer" or not is_right:
            raise WrongToken("missing or wrong admin token: send it as 'Authorization: Bearer'")

    def _handler(self, head: Head) -> Handler:
        if head.path.rstrip("/") == "/metrics" and head.method in {"GET", "HEAD"}:
            return metrics
        name, place = _found(head.path)
        work = place.work.get("GET" if head.method == "HEAD" else head.method)
        if work is None:
            raise WrongMethod(head.path, tuple(place.work))
        told = head.headers.get("content-length", "")
        if told.isdigit():
            _check_size(int(told))

        async def handle(request: Request, _sender: Sender, _service: Service) -> Response:
            _check_size(len(request.body))
            return await work(self.desk, name, request.body)

        return handle


def admin_token(text: str, *, where: str) -> bytes:
    """Digest of the admin token. Raises `Unready` where there is none worth the name.

    `where`: the environment variable that it is from.
    """
    if len(text.strip()) < SHORTEST_TOKEN:
        what = f"the admin API needs a token of at least {SHORTEST_TOKEN} characters"
        raise Unready(f"{what}: set {where}, for example to the output of 'openssl rand -hex 24'")
    return digest_of(text.strip())


def _found(path: str) -> tuple[str, Place]:
    for pattern, place in _PATTERNS:
        found = pattern.fullmatch(path.rstrip("/"))
        if found is not None:
            return "".join(found.groups()), place
    raise NotFound(f"there is no {path[:80]}; see /admin/keys, /admin/spend, /metrics")


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise TooLarge(f"the body is larger than {MOST_BYTES:,} bytes")


async def _healthy(_request: Request, _sender: Sender, _service: Service) -> Response:
    return Response(body=b'{"status":"ok","service":"emafusion admin"}')
