"""Bytes of a request to `/v1/embeddings` -> what is to be embedded, and how."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from emafusion.domain.attempt import Reply
from emafusion.domain.errors import BadInput
from emafusion.domain.query import Origin, Query
from emafusion.wire import faults
from emafusion.wire.body import Fields, fields_of
from emafusion.wire.openai.params import Text

DIALECT = "embeddings"
"""What queries and replies say that they came in."""

MOST_INPUTS = 2048
"""Texts that one request may have."""

Tokens = tuple[int, ...]
Input = str | Tokens


class Params(Struct):
    """The whole body."""

    model: Text
    input: Raw = Raw()
    dimensions: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class EmbedQuery(Struct, frozen=True, kw_only=True):
    """What is to be embedded: texts, or texts as the model's own tokens.

    `requested`: the model's name as the client sent it; `fields`: each field of the body as it
    came.
    """

    requested: str
    inputs: tuple[Input, ...]
    fields: Fields
    dimensions: int | None = None
    as_base64: bool = False
    user: str | None = None

    @property
    def most_tokens(self) -> int:
        """How many tokens that may be, at most; texts by their length."""
        sizes = (len(i.encode()) / 3 + 1 if isinstance(i, str) else len(i) for i in self.inputs)
        return int(sum(sizes))


def decode_embed(body: bytes, /) -> EmbedQuery:
    """Read the body of `/v1/embeddings`. Raises `BadInput` with the field that is wrong.

    >>> decode_embed(b'{"model": "e", "input": ["a", "b"]}').inputs
    ('a', 'b')
    """
    fields = fields_of(body)
    params = faults.decode(body, Params)
    return EmbedQuery(
        requested=params.model,
        inputs=_inputs(bytes(params.input)),
        fields=fields,
        dimensions=params.dimensions,
        as_base64=params.encoding_format == "base64",
        user=params.user,
    )


def embed_query(query: Query, /) -> EmbedQuery:
    """What a query from `asked_query` is to embed."""
    fields = () if query.origin is None else query.origin.fields
    return decode_embed(msgspec.json.encode({name: Raw(value) for name, value in fields}))


def asked_query(embed: EmbedQuery, /, *, query_id: str) -> Query:
    """The same as a query: nothing that a model could answer, only fields."""
    return Query(
        query_id=query_id,
        messages=(),
        requested=embed.requested,
        user=embed.user,
        origin=Origin(dialect=DIALECT, fields=embed.fields),
    )


def vectors_origin(vectors: tuple[Raw, ...], /) -> Origin:
    """Vectors as what a reply came as."""
    return Origin(dialect=DIALECT, fields=(("vectors", msgspec.json.encode(vectors)),))


def vectors_of(reply: Reply, /) -> tuple[Raw, ...]:
    """The vectors that such a reply holds."""
    fields = {} if reply.origin is None else dict(reply.origin.fields)
    return tuple(msgspec.json.decode(fields.get("vectors", b"[]"), type=list[Raw]))


_Token = Annotated[int, Meta(ge=0, le=2**31 - 1)]


def _inputs(raw: bytes) -> tuple[Input, ...]:
    """Read a text, a list of texts, the tokens of a text, or a list of such."""
    if raw in (b"", b"null"):
        raise BadInput("is required", where="input")
    if raw.startswith(b'"'):
        return (_filled(faults.decode(raw, str, where="input"), "input"),)
    if not raw.startswith(b"["):
        raise BadInput("expected a text or an array of texts", where="input")
    items = faults.decode(raw, list[Raw], where="input")
    if not 1 <= len(items) <= MOST_INPUTS:
        what = f"expected 1 to {MOST_INPUTS} texts, got {len(items)}"
        raise BadInput(what, where="input")
    if bytes(items[0])[:1].isdigit():
        return (faults.decode(raw, tuple[_Token, ...], where="input"),)
    return tuple([_item(bytes(item), f"input[{n}]") for n, item in enumerate(items)])


def _item(raw: bytes, where: str) -> Input:
    if raw.startswith(b"["):
        return _filled(faults.decode(raw, tuple[_Token, ...], where=where), where)
    return _filled(faults.decode(raw, str, where=where), where)


def _filled(item: Input, where: str) -> Input:
    if not item:
        raise BadInput("must not be empty", where=where)
    return item
