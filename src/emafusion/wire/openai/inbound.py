"""Bytes of a chat completion request -> Query."""

from __future__ import annotations

from emafusion.domain.query import Origin, Query
from emafusion.wire import faults
from emafusion.wire.body import fields_of
from emafusion.wire.openai.messages import messages_of
from emafusion.wire.openai.params import Params
from emafusion.wire.openai.settings import format_of, settings_of
from emafusion.wire.openai.tools import tools_of


def decode_query(body: bytes, /, *, query_id: str) -> Query:
    """Read the body of `/v1/chat/completions`.

    Every documented parameter is checked; unknown fields are kept in `Query.origin`. Raises
    `BadInput`, with `where` as in OpenAI's `param` (`messages[2].content`), and nothing else.

    >>> body = b'{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'
    >>> decode_query(body, query_id="q1").prompt
    'Hello'
    """
    fields = fields_of(body)
    params = faults.decode(body, Params)
    tools = tools_of(params)
    return Query(
        query_id=query_id,
        messages=messages_of(params.messages),
        requested=params.model,
        tools=tools,
        format=format_of(params.response_format),
        settings=settings_of(params, tools),
        stream=bool(params.stream),
        include_usage=bool(params.stream_options and params.stream_options.include_usage),
        user=params.user or params.safety_identifier,
        origin=Origin(dialect="openai", fields=fields),
    )
