"""The face of `/v1beta/models/NAME:generateContent` and its kin: Google's Gemini API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.answering import answering
from emafusion.gateway.face import EVENTS
from emafusion.gateway.facts import Facts, headers
from emafusion.gateway.http import Head, Headers, Request, Response, Sender
from emafusion.gateway.service import Service
from emafusion.wire import gemini, openai

_ARRAY: Headers = (
    ("content-type", "application/json; charset=utf-8"),
    ("cache-control", "no-cache"),
    ("x-accel-buffering", "no"),
)
_STREAM, _COUNT = "streamGenerateContent", "countTokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateFace:
    """Contents. `events`: a stream comes as events, not as one JSON array."""

    events: bool = True

    @property
    def stream_headers(self) -> Headers:
        """Headers of a stream."""
        return EVENTS if self.events else _ARRAY

    def query(self, request: Request, /, *, query_id: str) -> Query:
        """Read a request, whose address names the model and what is to be done."""
        name, _, verb = request.head.path.partition("/models/")[2].rstrip("/").rpartition(":")
        asked = gemini.Asked(model=name, stream=verb == _STREAM, counts=verb == _COUNT)
        return gemini.decode_query(request.body, asked, query_id=query_id)

    def whole(self, reply: Reply, outcome: Outcome, told: Facts, /) -> bytes:
        """Write a whole answer."""
        return gemini.encode_reply(
            reply,
            response_id=outcome.decision_id,
            model=outcome.answer.candidate or reply.model,
            thoughts=gemini.shows_thoughts(outcome.query),
            extras=told,
        )

    def deltas(self, reply: Reply, /) -> tuple[Delta, ...]:
        """Cut a reply that was held back."""
        own = gemini.deltas_of(reply)
        return openai.deltas_of(reply) if own is None else own

    def writer(self, query: Query, /, *, created: int, model: str) -> gemini.ResponseWriter:  # noqa: ARG002 - its pieces have no time
        """Make the writer of one stream."""
        thoughts = gemini.shows_thoughts(query)
        return gemini.ResponseWriter(
            response_id=query.query_id,
            model=model,
            delivery=gemini.Delivery(events=self.events, thoughts=thoughts),
        )

    def error(self, error: EmafusionError, /) -> tuple[int, bytes]:
        """Status and body of an error."""
        return gemini.encode_error(error)

    def credentials(self, head: Head, /) -> Mapping[str, str]:
        """The key in the header or the parameter that this API's clients send, else as ever."""
        given = head.headers.get("x-goog-api-key") or _parameter(head, "key")
        return {"x-api-key": given} if given else head.headers

    def headers(self, told: Facts, /) -> Headers:
        """Our facts as headers."""
        return headers(told)

    def counted(self, tokens: int, /) -> bytes:
        """Write a count."""
        return b'{"totalTokens":%d}' % tokens


GENERATE = GenerateFace()
_EVENTS = answering(GENERATE)
_ITEMS = answering(GenerateFace(events=False))


async def stream_generate(request: Request, sender: Sender, service: Service) -> Response | None:
    """Stream an answer: as events with `alt=sse`, else as the items of one JSON array."""
    alt = _parameter(request.head, "alt") or "json"
    if alt not in ("json", "sse"):
        raise BadInput("must be 'sse' or 'json'", where="alt")
    return await (_EVENTS if alt == "sse" else _ITEMS)(request, sender, service)


def _parameter(head: Head, name: str) -> str:
    """The value of a parameter behind the `?`, empty where there is none.

    Raises `BadInput` where there are two: none is guessed to be the right one.
    """
    if not head.parameters:
        return ""
    values = parse_qs(head.parameters).get(name, [""])
    if len(values) > 1:
        raise BadInput("is given twice", where=name)
    return values[0]
