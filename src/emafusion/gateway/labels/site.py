"""The page behind its socket: whoever has the address with its token, on this machine, is let in.

The token is in the address, 128 bits of it; a page of another site can neither read nor guess it.
Nor can such a page post to it unseen, or reach it under a name of its own that is made to lead
here (DNS rebinding): hosts and origins are checked too.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Final, cast
from urllib.parse import parse_qs

from emafusion.domain.errors import BadInput, Denied, EmafusionError
from emafusion.gateway.app import Admitted, NotFound, WrongMethod
from emafusion.gateway.bodies import Bodies
from emafusion.gateway.http import Head, Headers, Request, Response, Sender
from emafusion.gateway.labels.desk import Desk
from emafusion.gateway.labels.page import Step, View, asset, framed, page
from emafusion.gateway.limits import USUAL, ClientLimits
from emafusion.gateway.service import Service
from emafusion.store.feedback.feedback import Feedback

_log = logging.getLogger("emafusion")

COOKIE: Final = "emafusion-label"
ASSETS: Final = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
HTML: Final = "text/html; charset=utf-8"
GUARD: Final[Headers] = (
    (
        "content-security-policy",
        (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
)
_NO_SERVICE: Final = cast("Service", None)
"""A page has no models behind it, and what answers it asks for none."""


class NotHere(Denied):
    """Another host's name, or a form of another site."""

    status = 403
    code = "forbidden"


@dataclass(slots=True, kw_only=True, eq=False)
class LabelSite:
    """A `Site` of one page. `token`: in its address; `port`: where it listens.

    `steps`: what the labels that there are bring.
    """

    desk: Desk
    token: str
    port: int
    steps: Callable[[Sequence[Feedback]], Sequence[Step]]
    limits: ClientLimits = USUAL
    max_body: int = 8 * 1024
    bodies: Bodies = field(default_factory=Bodies)
    _under_way: int = field(default=0, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def admit(self, head: Head, /) -> Admitted:
        """Decide by its head, the token first: nothing is told to whoever has none."""
        token, _, name = head.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise NotFound("nothing here; use the whole address that the terminal shows")
        self._check_origin(head)
        if name not in {"", *ASSETS}:
            raise NotFound("there is no such page")
        if head.method in {"GET", "HEAD"}:
            return Admitted(handler=_asset if name else self._shown)
        if head.method != "POST" or name:
            raise WrongMethod("this page", ("GET",) if name else ("GET", "POST"))
        return Admitted(handler=self._said)

    async def handle(self, request: Request, admitted: Admitted, sender: Sender, /) -> None:
        """Answer by the page, or by another that says what is wrong."""
        self._under_way += 1
        try:
            response = await admitted.handler(request, sender, _NO_SERVICE)
            if response is not None:
                sender.respond(response)
        except EmafusionError as error:
            self.tell(error, sender, request.head)
        except Exception:  # noqa: BLE001 - the edge of a driver: a bug ends one request, not the page
            _log.exception("a bug: %s", request.head.method)
            self.tell(EmafusionError("internal error; the terminal has more"), sender, request.head)
        finally:
            self._under_way -= 1

    def tell(self, error: EmafusionError, sender: Sender, _head: Head, /) -> None:
        """Answer by an error, unless an answer has begun already."""
        if not sender.started:
            told = f'<main class="end"><h2>{escape(str(error))}</h2></main>'
            body = framed("emafusion label", told).encode()
            sender.respond(Response(body=body, status=error.status, kind=HTML, headers=GUARD))

    async def finished(self, seconds: float, /) -> None:
        """Wait until no request is under way, so long at most."""
        for _ in range(int(seconds * 50)):
            if not self._under_way:
                return
            await asyncio.sleep(0.02)

    def _check_origin(self, head: Head) -> None:
        hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        if head.headers.get("host", "").lower() not in hosts:
            raise NotHere("this page is reached at 127.0.0.1 only")
        if head.method != "POST":
            return
        origin, site = head.headers.get("origin"), head.headers.get("sec-fetch-site")
        if origin is not None and origin.removeprefix("http://").lower() not in hosts:
            raise NotHere("this form was sent by another site")
        if site not in {None, "same-origin"}:
            raise NotHere("this form was sent by another site")

    async def _shown(self, request: Request, _sender: Sender, _service: Service) -> Response:
        """The page as its reader has it."""
        who, headers = self._reader(request.head)
        if not request.head.path.endswith("/"):
            return self._again(headers)
        async with self._turn:
            body = await asyncio.to_thread(self._page, who)
        return Response(body=body.encode("utf-8", "replace"), kind=HTML, headers=headers)

    async def _said(self, request: Request, _sender: Sender, _service: Service) -> Response:
        """What its reader said is kept; then the page again, so that reloading it does nothing."""
        who, headers = self._reader(request.head)
        form = _form(request.body)
        async with self._turn:
            await asyncio.to_thread(self._take, who, form)
        return self._again(headers)

    def _again(self, headers: Headers) -> Response:
        place = ("location", f"/{self.token}/")
        return Response(body=b"", status=303, kind=HTML, headers=(*headers, place))

    def _page(self, who: str) -> str:
        desk = self.desk
        question = desk.question(who)
        if question is None and not desk.count(who).drawn:
            desk.draw()
            question = desk.question(who)
        view = View(
            source=desk.source,
            seat=desk.seat(who),
            count=desk.count(who),
            steps=self.steps(tuple(desk.reader.feedback())),
            log=str(desk.reader.path),
            question=question,
        )
        made = page(view)
        desk.seat(who).told = ""
        return made

    def _take(self, who: str, form: dict[str, str]) -> None:
        desk, said, name = self.desk, form.get("say"), form.get("id", "")
        match said:
            case "right" | "wrong":
                desk.say(who, name, 1.0 if said == "right" else 0.0)
            case "grade":
                desk.say(who, name, _grade(form.get("grade", "")))
            case "skip":
                desk.skip(who, name)
            case "back":
                desk.back(who)
            case "take":
                desk.take_over(who)
            case "more":
                desk.draw()
            case _:
                raise BadInput("that is nothing one can say here", where="say")

    def _reader(self, head: Head) -> tuple[str, Headers]:
        """Who reads, by a cookie that says nothing else, and the headers of the response."""
        try:
            found = SimpleCookie(head.headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            found = None
        if found is not None and found.value:
            return found.value[:64], GUARD
        who = secrets.token_urlsafe(12)
        cookie = f"{COOKIE}={who}; Path=/{self.token}/; HttpOnly; SameSite=Strict"
        return who, (*GUARD, ("set-cookie", cookie))


async def _asset(request: Request, _sender: Sender, _service: Service) -> Response:
    name = request.head.path.rpartition("/")[2]
    return Response(body=asset(name), kind=ASSETS[name], headers=GUARD)


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode(), max_num_fields=8, keep_blank_values=True)
    except ValueError as error:
        raise BadInput("this is no form", where="body") from error
    return {name: values[-1] for name, values in fields.items()}


def _grade(text: str) -> float:
    try:
        grade = float(text.replace(",", "."))
    except ValueError:
        grade = -1.0
    if not 0.0 <= grade <= 1.0:
        raise BadInput(f"must be a number from 0 to 1, got {text[:20]!r}", where="Partly")
    return grade
