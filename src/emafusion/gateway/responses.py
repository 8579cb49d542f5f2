"""`POST /v1/responses`: OpenAI's Responses API, kept or not, whole or streamed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import BadInput, EmafusionError, Unready
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.answering import answering
from emafusion.gateway.chat import CHAT, HELD
from emafusion.gateway.face import EVENTS
from emafusion.gateway.facts import Facts, facts
from emafusion.gateway.heavy import worked
from emafusion.gateway.http import Head, Headers, Request, Response, Sender
from emafusion.gateway.service import Service
from emafusion.gateway.shelving import NotKept, log, owner_of
from emafusion.store.shelf.kept import KeptResponse
from emafusion.store.shelf.ports import Shelf
from emafusion.wire.openai import deltas_of
from emafusion.wire.responses import Asked, EventWriter, Frame, decode_request, output_of, query_of
from emafusion.wire.responses.kept import (
    by_id,
    items_of,
    long_form,
    output_items,
    response_id_of,
)


async def respond(request: Request, sender: Sender, service: Service) -> Response | None:
    """Answer one request. Raises `EmafusionError` for what cannot be answered."""
    size = len(request.body)
    asked = await worked(service, size, lambda: decode_request(request.body))
    shelf = _shelf_for(asked, service)
    owner = owner_of(request)
    face = ResponsesFace(
        asked,
        history=await _history(asked, service.shelf, owner),
        kept=await _named_items(asked, service.shelf, owner),
        store=shelf is not None,
    )

    async def keep(reply: Reply, outcome: Outcome) -> None:
        face.end(reply, outcome)
        if shelf is None:
            return
        try:
            kept = await worked(service, size, lambda: face.kept(outcome, owner))
            await shelf.responses.put(kept)
        except Unready as error:  # the answer was paid for: it is given all the same
            log.error("%s is not kept: %s", outcome.decision_id, error)
            face.store = False
            face.end(reply, outcome)

    return await answering(face, keep)(request, sender, service)


class ResponsesFace:
    """The face of one request. `history`, `kept`: see `query_of`; `store`: whether it is kept."""

    stream_headers: Headers = EVENTS

    def __init__(
        self, asked: Asked, *, history: Sequence[Raw], kept: Mapping[str, Raw], store: bool
    ) -> None:
        self.store = store
        self._asked = asked
        self._history = history
        self._kept = kept
        self._writer: EventWriter | None = None
        self._key: str | None = None
        self.response: Mapping[str, object] = {}

    def query(self, request: Request, /, *, query_id: str) -> Query:
        """The query, as a chat completion would ask it."""
        del request  # it was read before this face was made
        return query_of(self._asked, query_id=query_id, history=self._history, kept=self._kept)

    def whole(self, reply: Reply, outcome: Outcome, told: Facts, /) -> bytes:
        """Write a whole response, as it ended."""
        del reply, outcome, told  # they are in it
        return msgspec.json.encode(self.response)

    def deltas(self, reply: Reply, /) -> tuple[Delta, ...]:
        """Cut a reply that was held back."""
        return deltas_of(reply)

    def writer(self, query: Query, /, *, created: int, model: str) -> ResponsesWriter:
        """Make the writer of one stream; an answer that was given before keeps its id."""
        key = self._key or query.query_id
        return ResponsesWriter(self, self._frame(key, created, model=model))

    def error(self, error: EmafusionError, /) -> tuple[int, bytes]:
        """Status and body of an error."""
        return CHAT.error(error)

    def credentials(self, head: Head, /) -> Mapping[str, str]:
        """Headers with a gateway key."""
        return CHAT.credentials(head)

    def headers(self, told: Facts, /) -> Headers:
        """Our facts as headers."""
        return CHAT.headers(told)

    def speaks(self, writer: EventWriter) -> None:
        """The answer goes out by this writer, so its items are what is kept."""
        self._writer = writer

    def end(self, reply: Reply, outcome: Outcome) -> None:
        """Put the response together as it ends: what is kept and what is sent are the same."""
        self._key = outcome.decision_id
        model = outcome.answer.candidate or reply.model
        frame = self._frame(outcome.decision_id, int(outcome.created_at), model=model)
        finish = reply.choices[0].finish_reason
        output = output_of(reply, frame) if self._writer is None else self._writer.end(finish)
        self.response = frame.ended(
            output,
            finish=finish,
            usage=reply.usage,
            completed_at=int(time.time()),
            extras=facts(outcome),
        )

    def kept(self, outcome: Outcome, owner: str) -> KeptResponse:
        """What is put on the shelf."""
        key = _key(outcome.decision_id)
        items = long_form(self._asked.items, key=key, kept=self._kept)
        return KeptResponse(
            id=f"resp_{key}",
            owner=owner,
            created_at=outcome.created_at,
            previous=self._asked.params.previous_response_id,
            items=msgspec.json.encode(items),
            body=msgspec.json.encode(self.response),
        )

    def _frame(self, decision_id: str, created: int, *, model: str) -> Frame:
        return Frame(
            key=_key(decision_id),
            created_at=created,
            model=model,
            asked=self._asked,
            store=self.store,
        )


class ResponsesWriter:
    """A stream of one response's events."""

    __slots__ = ("_events", "_face", "error")

    def __init__(self, face: ResponsesFace, frame: Frame) -> None:
        self._events = EventWriter(frame)
        self._face = face
        self.error = self._events.error

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta."""
        if not self._face.response:
            self._face.speaks(self._events)
        return self._events.delta(delta)

    def final(self, reply: Reply, told: Facts, /) -> bytes:
        """Write the ends of the items and of the response."""
        del told  # they are in the response
        self._events.end(reply.choices[0].finish_reason)
        return self._events.ended(self._face.response)

    def waiting(self) -> bytes:
        """Write a comment that says why nothing comes."""
        return self._events.comment(HELD)


def _shelf_for(asked: Asked, service: Service) -> Shelf | None:
    """Where the response is kept; None where it is not to be.

    Raises `BadInput` where a client insists on what this gateway does not do.
    """
    wanted = asked.params.store
    if service.shelf is None or not service.keeps_responses:
        if wanted:
            what = "responses are not kept by this gateway (log.prompts: hash); send false"
            raise BadInput(what, where="store")
        return None
    return None if wanted is False else service.shelf


async def _history(asked: Asked, shelf: Shelf | None, owner: str) -> list[Raw]:
    """Items of the responses that this one goes on from, oldest first."""
    previous = asked.params.previous_response_id
    if previous is None:
        return []
    chain = () if shelf is None else await shelf.responses.chain(previous, owner=owner)
    if not chain:
        what = f"no response '{previous[:80]}' is kept here"
        raise NotKept(what, where="previous_response_id")
    if chain[0].previous is not None:
        what = "the beginning of this conversation is no longer kept; send it as input"
        raise NotKept(what, where="previous_response_id")
    return [item for kept in chain for item in (*items_of(kept.items), *output_items(kept.body))]


async def _named_items(asked: Asked, shelf: Shelf | None, owner: str) -> Mapping[str, Raw]:
    """Kept items, by id, of the responses whose items the input only names."""
    wanted = {response_id_of(item) for item in asked.references}
    found: dict[str, Raw] = {}
    for key in wanted:
        kept = None
        if shelf is not None and key is not None:
            kept = await shelf.responses.get(key, owner=owner)
        if kept is not None:
            found |= by_id((*items_of(kept.items), *output_items(kept.body)))
    return found


def _key(decision_id: str) -> str:
    """What ids of a response and its items are made of."""
    return decision_id.removeprefix("em-")
