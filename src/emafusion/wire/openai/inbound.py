"""Bytes of a chat completion request -> Query."""

from __future__ import annotations

from emafusion.domain.query import Query


def decode_query(body: bytes, /, *, query_id: str) -> Query:
    """Read the body of `/v1/chat/completions`.

    Every documented parameter is checked; unknown fields are kept in `Query.origin`. Raises
    `BadInput`, with `where` as in OpenAI's `param` (`messages[2].content`), and nothing else.
    """
    raise NotImplementedError
