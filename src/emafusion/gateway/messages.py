"""The face of `POST /v1/messages`: Anthropic's API."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import EmafusionError
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.face import EVENTS
from emafusion.gateway.facts import Facts, headers
from emafusion.gateway.http import Head, Headers, Request
from emafusion.wire import anthropic, openai


class MessagesFace:
    """Messages."""

    stream_headers: Headers = EVENTS

    def query(self, request: Request, /, *, query_id: str) -> Query:
        """Read a request."""
        return anthropic.decode_query(request.body, _around(request), query_id=query_id)

    def whole(self, reply: Reply, outcome: Outcome, told: Facts, /) -> bytes:
        """Write a whole answer."""
        return anthropic.encode_reply(
            reply,
            message_id=_message_id(outcome.decision_id),
            model=outcome.answer.candidate or reply.model,
            extras=told,
        )

    def deltas(self, reply: Reply, /) -> tuple[Delta, ...]:
        """Cut a reply that was held back."""
        own = anthropic.deltas_of(reply)
        return openai.deltas_of(reply) if own is None else own

    def writer(self, query: Query, /, *, created: int, model: str) -> anthropic.EventWriter:  # noqa: ARG002 - its events have no time
        """Make the writer of one stream."""
        return anthropic.EventWriter(message_id=_message_id(query.query_id), model=model)

    def error(self, error: EmafusionError, /) -> tuple[int, bytes]:
        """Status and body of an error."""
        return anthropic.encode_error(error)

    def credentials(self, head: Head, /) -> Mapping[str, str]:
        """Headers with a gateway key: this API's clients send one of the two that are taken."""
        return head.headers

    def headers(self, told: Facts, /) -> Headers:
        """Our facts as headers, and the id by which this API's clients name a request."""
        return (("request-id", str(told["decision_id"])), *headers(told))


class CountFace(MessagesFace):
    """Questions for the tokens of a prompt."""

    @override
    def query(self, request: Request, /, *, query_id: str) -> Query:
        """Read a request, which names no limit for an answer."""
        return anthropic.decode_count(request.body, _around(request), query_id=query_id)

    def counted(self, tokens: int, /) -> bytes:
        """Write the count."""
        return b'{"input_tokens":%d}' % tokens


MESSAGES = MessagesFace()
COUNT = CountFace()


def _around(request: Request) -> anthropic.Around:
    return anthropic.Around(headers=request.head.headers, parameters=request.head.parameters)


def _message_id(decision_id: str) -> str:
    return f"msg_{decision_id}"
