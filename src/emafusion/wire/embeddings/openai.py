"""Embeddings in OpenAI's API, and of every server like it."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.errors import Garbled
from emafusion.wire.dialect import WireRequest
from emafusion.wire.embeddings.asked import MOST_INPUTS, EmbedQuery
from emafusion.wire.embeddings.dialect import Embedded
from emafusion.wire.error_body import read_trouble
from emafusion.wire.openai.dialect import OpenAIDialect
from emafusion.wire.reading import read

_HEADERS = (("content-type", "application/json"),)
_OURS = frozenset({"emafusion", "input", "model"})


class _Vector(Struct):
    embedding: Raw
    index: int = -1


class _Usage(Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Reply(Struct):
    data: list[_Vector] | None = None
    usage: _Usage | None = None
    error: Raw = Raw()


_DECODER = msgspec.json.Decoder(_Reply)


class OpenAIEmbeddings:
    """OpenAI's API: the client's own fields go on as they came."""

    base_url = OpenAIDialect.base_url
    at_once = MOST_INPUTS

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Give the key as a bearer token."""
        return OpenAIDialect().auth(api_key)

    def check(self, query: EmbedQuery, /) -> None:
        """Nothing: everything can be said."""

    def request(self, query: EmbedQuery, model: str, /) -> WireRequest:
        """Write a call."""
        fields: dict[str, object] = {
            name: Raw(value) for name, value in query.fields if name not in _OURS
        }
        fields |= {"model": model, "input": query.inputs}
        return WireRequest(path="/embeddings", headers=_HEADERS, body=msgspec.json.encode(fields))

    def reply(self, body: bytes, query: EmbedQuery, /) -> Embedded:
        """Read a reply; the vectors in the order of their numbers, where they have some."""
        reply = read(body, _DECODER, "reply")
        if reply.data is None and bytes(reply.error) not in (b"", b"null"):
            raise read_trouble(body).failure(None, {})
        data = sorted(reply.data or (), key=lambda vector: vector.index)
        if len(data) != len(query.inputs):
            told = f"upstream gave {len(data)} vectors for {len(query.inputs)} inputs"
            raise Garbled(told)
        usage = reply.usage or _Usage()
        tokens = usage.total_tokens if usage.prompt_tokens is None else usage.prompt_tokens
        return Embedded(vectors=tuple(Raw(bytes(v.embedding)) for v in data), prompt_tokens=tokens)

    def dropped(self, query: EmbedQuery, /) -> tuple[str, ...]:
        """Nothing."""
        del query
        return ()
