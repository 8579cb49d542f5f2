"""The OpenAI dialect as a whole: what an upstream needs of it."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.domain.attempt import Reply
from emafusion.domain.command import Call
from emafusion.domain.model import Candidate
from emafusion.domain.query import OpaquePart, Query
from emafusion.wire.beyond import beyond_of
from emafusion.wire.dialect import StreamReader, WireRequest
from emafusion.wire.openai.outbound import encode_call
from emafusion.wire.openai.reply import decode_reply
from emafusion.wire.openai.stream import OpenAIReader
from emafusion.wire.openai.translated import is_sendable, unasked

_HEADERS = (("content-type", "application/json"),)


class OpenAIDialect:
    """OpenAI and every server that speaks like it: vLLM, Ollama, llama.cpp, Groq, DeepSeek ...

    A query that came in this dialect goes out as it came: only the model, the stream options and
    our own object `emafusion` are changed, `max_tokens` and the role `developer` are renamed for
    servers that know them by the other name.
    """

    name = "openai"
    base_url = "https://api.openai.com/v1"

    def request(self, call: Call, /, *, stream: bool) -> WireRequest:
        """Write the call."""
        return WireRequest(
            path="/chat/completions", headers=_HEADERS, body=encode_call(call, stream=stream)
        )

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Give the key as a bearer token."""
        return (("authorization", f"Bearer {api_key}"),) if api_key else ()

    def reply(self, body: bytes, /) -> Reply:
        """Read a whole reply."""
        return decode_reply(body)

    def reader(self) -> StreamReader:
        """Make a reader for one stream."""
        return OpenAIReader()

    def unsupported(
        self,
        query: Query,
        candidate: Candidate | None = None,
        /,
    ) -> tuple[str, ...]:
        """Name what cannot be said: only what came in another dialect."""
        if query.origin is not None and query.origin.dialect == self.name:
            return ()
        return (*_foreign(query), *beyond_of(query), *unasked(query, candidate))


def _foreign(query: Query) -> Iterator[str]:
    told = "thinking" in beyond_of(query)
    for n, message in enumerate(query.messages):
        opaque = (part for part in message.parts if isinstance(part, OpaquePart))
        if any(not is_sendable(p) for p in opaque if not (told and p.kind == "thinking")):
            yield f"messages[{n}].content"
