"""A deployment reached over HTTP in one of the dialects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from typing_extensions import override

from emafusion.domain.attempt import Attempt, Reply
from emafusion.domain.command import Call
from emafusion.domain.errors import BadInput, Disconnected, Failure, Garbled, Rejected
from emafusion.domain.ports import Sink
from emafusion.upstream.address import parse_base_url
from emafusion.upstream.fold import Fold
from emafusion.upstream.headroom import Headroom, headroom_of
from emafusion.upstream.pool import Pool
from emafusion.upstream.request import Headers, HttpRequest, check_headers
from emafusion.upstream.response import Response
from emafusion.upstream.sending import Sending
from emafusion.upstream.timeouts import Timeouts
from emafusion.wire.dialect import Dialect, WireRequest
from emafusion.wire.error_body import read_trouble
from emafusion.wire.openai import deltas_of
from emafusion.wire.sse import SseParser

MOST_EVENT_BYTES = 16 * 2**20
"""Bytes that one event of a stream may have: pictures and sound come in one."""

LONG = 1_000
"""Messages of a conversation from which a thread writes its request."""

_KEPT = 256
"""Paths of which the address and headers are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a deployment is and what opens it. `base_url`: empty for the provider's own address.

    `headers` are sent with every call and may replace the dialect's; keys are never shown.
    """

    base_url: str = ""
    api_key: str = field(default="", repr=False)
    headers: Headers = field(default=(), repr=False)


def _unheard(_name: str, _room: Headroom) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a deployment is called, whichever it is.

    `heard`: is told what is left of the rate limits, with the name of the candidate.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    heard: Callable[[str, Headroom], None] = _unheard


class RemoteUpstream:
    """Sends calls to one account in one dialect.

    Every trouble of the provider comes back as a failure; `cost_usd` of an attempt is left None,
    whoever knows the prices fills it in. Owns its pool and closes it.
    Raises `BadInput` for an address, key or header that cannot be used.
    """

    def __init__(
        self,
        dialect: Dialect,
        account: Account,
        *,
        pool: Pool,
        timeouts: Timeouts | None = None,
        way: Way | None = None,
    ) -> None:
        self._dialect = dialect
        self._key = account.api_key.strip()
        self._default = parse_base_url(dialect.base_url)
        self._base = parse_base_url(account.base_url) if account.base_url else self._default
        self._pool = pool
        self._way = way or Way(timeouts=timeouts or Timeouts())
        self._headers: Headers = (*dialect.auth(self._key), *account.headers)
        self._known: dict[tuple[str, Headers], tuple[str, Headers]] = {}
        check_headers(self._headers)

    @override
    def __repr__(self) -> str:
        return f"RemoteUpstream({self._dialect.name}, {self._base.server.netloc})"

    async def send(self, call: Call, sink: Sink | None = None, /) -> Attempt:
        """Make the call; with a sink, stream, and pass on each delta as it comes."""
        sending = Sending(call)
        try:
            reply = await self._exchange(sending, sink)
        except Failure as failure:
            return sending.failed(without_key(failure, self._key))
        except BadInput as error:
            return sending.failed(Rejected(f"the request cannot be sent: {error}"))
        return sending.replied(reply)

    async def close(self) -> None:
        """Close every connection; calls that are still open end as `Disconnected`."""
        await self._pool.close()

    async def _exchange(self, sending: Sending, sink: Sink | None) -> Reply:
        wire = await self._written(sending.call, stream=sink is not None)
        response = await self._pool.open(self._base.server, self._request(wire), self._way.timeouts)
        try:
            if response.tells_limits:
                self._hear(sending, response)
            if response.status != 200:
                raise await self._refusal(response)
            if sink is None:
                return self._dialect.reply(await response.read())
            return await self._stream(response, sending, sink)
        finally:
            response.close()

    async def _written(self, call: Call, *, stream: bool) -> WireRequest:
        """The request as the dialect writes it; a long one without holding up others."""
        if len(call.query.messages) < LONG:
            return self._dialect.request(call, stream=stream)
        return await asyncio.to_thread(self._dialect.request, call, stream=stream)

    def _hear(self, sending: Sending, response: Response) -> None:
        room = headroom_of(response.headers, clock_s=time.monotonic(), now=time.time())
        if room is not None:
            self._way.heard(sending.call.candidate.name, room)

    def _request(self, wire: WireRequest) -> HttpRequest:
        same = (wire.path, wire.headers)
        known = self._known.get(same)
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            target = self._base.target(wire.path, default=self._default)
            known = self._known[same] = (target, _merged(wire.headers, self._headers))
        return HttpRequest(target=known[0], headers=known[1], body=wire.body)

    async def _stream(self, response: Response, sending: Sending, sink: Sink) -> Reply:
        fold = sending.fold = Fold(self._dialect.reader(), sink, sending.elapsed_s)
        kind = response.headers.get("content-type", "text/event-stream")
        if "json" in kind.lower():
            return await self._unstreamed(response, fold)
        parser = SseParser()
        while not fold.done and (data := await _more(response, fold)):
            for event in parser.feed(data):
                await fold.take(event)
            if parser.waiting > MOST_EVENT_BYTES:
                raise Garbled(f"upstream sent an event of over {MOST_EVENT_BYTES:,} bytes")
        if not fold.done:
            for event in parser.close():
                await fold.take(event)
        response.close(nearly_done=True)
        return fold.reply(sending.call.candidate.remote_name)

    async def _unstreamed(self, response: Response, fold: Fold) -> Reply:
        """Some servers answer in one piece all the same, or report an error with status 200."""
        reply = self._dialect.reply(await response.read())
        for delta in deltas_of(reply):
            await fold.pass_on(delta)
        return reply

    async def _refusal(self, response: Response) -> Failure:
        """What a status other than 200 means."""
        status = response.status
        if status < 300:
            return Garbled(f"upstream answered {status}, which holds no answer", status=status)
        if status < 400:
            return Garbled(
                f"{self._base.server.netloc} redirects (status {status}), which is not followed: "
                "set base_url to the final address",
                status=status,
            )
        try:
            body = await response.read()
        except Failure:
            # The status says enough; a body that breaks off must not hide it.
            body = b""
        return read_trouble(body).failure(status, response.headers, now=time.time())


async def _more(response: Response, fold: Fold) -> bytes:
    """The next bytes; none where the connection breaks after the whole answer was said."""
    try:
        return await response.chunk()
    except Disconnected:
        if fold.complete:
            return b""
        raise


def _merged(request: Headers, account: Headers) -> Headers:
    """Both, the account's winning; identity, since a compressed stream arrives late."""
    headers = {"user-agent": "emafusion", "accept-encoding": "identity"}
    for name, value in (*request, *account):
        headers[name.lower()] = value
    return tuple(headers.items())


def without_key(failure: Failure, key: str) -> Failure:
    """The failure without our key, should the provider have repeated it."""
    message = str(failure)
    if not key or key not in message:
        return failure
    return type(failure)(
        message.replace(key, "***"),
        status=failure.upstream_status,
        retry_after_s=failure.retry_after_s,
    )
