"""Embeddings in Gemini's API: `batchEmbedContents`, which does not say how many tokens it took."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput, Garbled
from emafusion.wire.dialect import WireRequest
from emafusion.wire.embeddings.asked import EmbedQuery
from emafusion.wire.embeddings.dialect import Embedded
from emafusion.wire.gemini.dialect import GeminiDialect
from emafusion.wire.reading import read

_HEADERS = (("content-type", "application/json"),)
_KNOWN = frozenset({"dimensions", "emafusion", "encoding_format", "input", "model", "user"})


class _Values(Struct):
    values: Raw


class _Reply(Struct):
    embeddings: list[_Values] = []


_DECODER = msgspec.json.Decoder(_Reply)


class GeminiEmbeddings:
    """Google's API."""

    base_url = GeminiDialect.base_url
    at_once = 100

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Give the key in a header."""
        return GeminiDialect().auth(api_key)

    def check(self, query: EmbedQuery, /) -> None:
        """Raise `BadInput` for tokens, and for parameters that are not had there."""
        _check(query)

    def request(self, query: EmbedQuery, model: str, /) -> WireRequest:
        """Write a call."""
        name = f"models/{model.removeprefix('models/')}"
        requests = [_request(str(text), name, query.dimensions) for text in query.inputs]
        body = msgspec.json.encode({"requests": requests})
        return WireRequest(path=f"/{name}:batchEmbedContents", headers=_HEADERS, body=body)

    def reply(self, body: bytes, query: EmbedQuery, /) -> Embedded:
        """Read a reply."""
        found = read(body, _DECODER, "reply").embeddings
        if len(found) != len(query.inputs):
            told = f"upstream gave {len(found)} vectors for {len(query.inputs)} inputs"
            raise Garbled(told)
        return Embedded(vectors=tuple(Raw(bytes(each.values)) for each in found))

    def dropped(self, query: EmbedQuery, /) -> tuple[str, ...]:
        """The user, whom this API does not know."""
        return ("user",) if query.user else ()


def _check(query: EmbedQuery) -> None:
    """Raise `BadInput` for what would change the vectors and cannot be said."""
    for n, item in enumerate(query.inputs):
        if not isinstance(item, str):
            raise BadInput("this model takes texts, not tokens", where=f"input[{n}]")
    unknown = next(_unknown(query), None)
    if unknown is not None:
        raise BadInput("the API of this model has no such parameter", where=unknown)


def _unknown(query: EmbedQuery) -> Iterator[str]:
    return (name for name, value in query.fields if name not in _KNOWN and value != b"null")


def _request(text: str, model: str, dimensions: int | None) -> dict[str, object]:
    request: dict[str, object] = {"model": model, "content": {"parts": [{"text": text}]}}
    return request if dimensions is None else request | {"outputDimensionality": dimensions}
