"""The face of `POST /v1/chat/completions`: OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import EmafusionError
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.face import EVENTS
from emafusion.gateway.facts import Facts, headers
from emafusion.gateway.http import Head, Headers, Request
from emafusion.wire.openai import (
    ChunkWriter,
    decode_query,
    deltas_of,
    encode_error,
    encode_reply,
)

HELD = "an answer is being read before it is given"


class ChatFace:
    """Chat completions. Errors of paths that belong to no other API have this shape too."""

    stream_headers: Headers = EVENTS

    def query(self, request: Request, /, *, query_id: str) -> Query:
        """Read a request."""
        return decode_query(request.body, query_id=query_id)

    def whole(self, reply: Reply, outcome: Outcome, told: Facts, /) -> bytes:
        """Write a whole answer."""
        return encode_reply(
            reply,
            completion_id=f"chatcmpl-{outcome.decision_id}",
            created=int(outcome.created_at),
            model=outcome.answer.candidate or reply.model,
            extras=told,
        )

    def deltas(self, reply: Reply, /) -> tuple[Delta, ...]:
        """Cut a reply that was held back."""
        return deltas_of(reply)

    def writer(self, query: Query, /, *, created: int, model: str) -> ChatWriter:
        """Make the writer of one stream."""
        return ChatWriter(
            ChunkWriter(
                completion_id=f"chatcmpl-{query.query_id}",
                created=created,
                model=model,
                include_usage=query.include_usage,
            )
        )

    def error(self, error: EmafusionError, /) -> tuple[int, bytes]:
        """Status and body of an error."""
        return encode_error(error)

    def credentials(self, head: Head, /) -> Mapping[str, str]:
        """Headers with a gateway key: Google's clients ask for some of these paths with theirs."""
        given = head.headers.get("x-goog-api-key")
        return {"x-api-key": given} if given else head.headers

    def headers(self, told: Facts, /) -> Headers:
        """Our facts as headers."""
        return headers(told)


CHAT = ChatFace()


class ChatWriter:
    """A stream of chunks."""

    __slots__ = ("_chunks", "delta", "error")

    def __init__(self, chunks: ChunkWriter) -> None:
        self._chunks = chunks
        self.delta = chunks.delta
        self.error = chunks.error

    def final(self, reply: Reply, told: Facts, /) -> bytes:
        """Write the usage, if it was asked for, and the end marker."""
        return self._chunks.final(reply.usage, told)

    def waiting(self) -> bytes:
        """Write a comment that says why nothing comes."""
        return self._chunks.comment(HELD)
