"""One line of a batch, asked as if a client had sent it, with patience."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import Struct

from emafusion.domain.errors import BadInput, Denied, EmafusionError, Failure, Unready
from emafusion.gateway.admission_refusal import OutOfRate
from emafusion.gateway.answering import Handler, answering
from emafusion.gateway.batch_lines import answered
from emafusion.gateway.chat import CHAT
from emafusion.gateway.completions import complete
from emafusion.gateway.embeddings import embed
from emafusion.gateway.http import Head, Headers, Request, Response
from emafusion.gateway.responses import respond
from emafusion.gateway.service import Service
from emafusion.store.keys.key import Key
from emafusion.store.keys.secret import KEY_ID
from emafusion.store.shelf.kept import Batch, Line, LineAnswer

HANDLERS: Mapping[str, Handler] = {
    "/v1/chat/completions": answering(CHAT),
    "/v1/completions": complete,
    "/v1/embeddings": embed,
    "/v1/responses": respond,
}
"""What a batch may be of, and who answers it."""

TRIES = 8
"""How often a line is asked whose failure may pass: for some two minutes. An outage costs few lines
then, and a model that never answers does not hold up a batch for ever."""

LONGEST_WAIT_S = 60.0

_log = logging.getLogger("emafusion")


class KeysById(Protocol):
    """Where keys that were made are found."""

    async def get(self, key_id: str, /) -> Key | None:
        """The key of this id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asker:
    """Asks lines of the service, each under the key that made its batch.

    `wait_s`: before the second try of a line; each further wait is twice as long.
    """

    service: Service
    keys: KeysById
    wait_s: float = 1.0

    async def ask(self, batch: Batch, line: Line, *, stopped: asyncio.Event) -> LineAnswer | None:
        """What came of a line; None where it was `stopped` while it waited for another try."""
        wait_s = self.wait_s
        tries = 0
        while True:
            tries += 1
            said = await self._once(batch, line)
            if said.wait_s is None or (tries >= TRIES and not said.is_patient):
                return _written(batch, line, said)
            if await _stopped(stopped, min(max(said.wait_s, wait_s), LONGEST_WAIT_S)):
                return None
            wait_s *= 2.0

    async def _once(self, batch: Batch, line: Line) -> _Said:
        try:
            request = Request(
                head=Head(method="POST", path=batch.endpoint, headers={}),
                body=line.body,
                key=await self._key(batch.owner),
            )
            _refuse_stream(line.body)
            response = await HANDLERS[batch.endpoint](request, _NOWHERE, self.service)
        except EmafusionError as error:
            status, body = CHAT.error(error)
            return _Said(
                status=status,
                body=body,
                wait_s=_wait_s(error, status),
                is_patient=isinstance(error, OutOfRate),
            )
        except Exception:  # noqa: BLE001 - the edge of the async driver: a bug ends one line, not the batch
            _log.exception("a bug: %s line %d", batch.id, line.number)
            status, body = CHAT.error(EmafusionError("internal error; the gateway's log has more"))
            return _Said(status=status, body=body)
        return _of(response)

    async def _key(self, owner: str) -> Key | None:
        """The key of a batch as it is now. Raises `Denied` where it lets nobody in any more."""
        if not owner:
            return None
        key = await self.keys.get(owner)
        if key is None and owner.startswith(KEY_ID):
            raise Denied("the gateway key of this batch is not known any more")
        if key is None:  # one of the environment, which has no limits
            return Key(id=owner, name=owner, is_counted=False)
        fault = key.fault(time.time())
        if fault is not None:
            raise Denied(f"the gateway key of this batch {fault}")
        return key


class _Said(Struct, frozen=True, kw_only=True):
    """An answer to a line. `wait_s`: where another try may help, after how long at least.

    `is_patient`: it is only a matter of time.
    """

    status: int
    body: bytes
    decision_id: str = ""
    wait_s: float | None = None
    is_patient: bool = False


class _Nowhere:
    """A `Sender` for answers that are whole: nothing is ever sent."""

    started = False
    congested = False

    def respond(self, response: Response, /) -> None:
        """Never called."""
        raise NotImplementedError(response.status)

    def start(self, headers: Headers, /) -> None:
        """Never called: streams are refused."""
        raise NotImplementedError(headers)

    def write(self, data: bytes, /) -> None:
        """Never called."""
        raise NotImplementedError(data)

    def finish(self) -> None:
        """Never called."""
        raise NotImplementedError

    async def drained(self) -> None:
        """Never called."""
        raise NotImplementedError


_NOWHERE = _Nowhere()


class _Streamed(Struct):
    stream: bool | None = None


def _refuse_stream(body: bytes) -> None:
    try:
        streamed = msgspec.json.decode(body, type=_Streamed).stream
    except msgspec.MsgspecError:
        return  # whoever answers will say what is wrong
    if streamed:
        raise BadInput("an answer in a batch is whole; leave it out", where="stream")


def _of(response: Response | None) -> _Said:
    if response is None:
        raise Unready("an answer in a batch came in pieces")
    told = dict(response.headers)
    decision_id = told.get("x-emafusion-decision-id", "")
    return _Said(status=response.status, body=response.body, decision_id=decision_id)


def _wait_s(error: EmafusionError, status: int) -> float | None:
    """How long to wait at least before another try; None where it would not help."""
    if isinstance(error, OutOfRate):
        told = dict(error.headers).get("retry-after", "1")
        return float(told) if told.isdigit() else 1.0
    if isinstance(error, Failure) and error.retryable:
        return error.retry_after_s or 0.0
    return 0.0 if status == 503 else None


async def _stopped(stopped: asyncio.Event, within_s: float) -> bool:
    """Whether it was stopped within this time."""
    try:
        await asyncio.wait_for(stopped.wait(), within_s)
    except TimeoutError:
        return False
    return True


def _written(batch: Batch, line: Line, said: _Said) -> LineAnswer:
    return answered(
        line,
        key=batch.id.removeprefix("batch_"),
        status=said.status,
        decision_id=said.decision_id,
        body=said.body,
    )
