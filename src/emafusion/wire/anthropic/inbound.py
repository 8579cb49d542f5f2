"""Bytes of a request in Anthropic's dialect -> Query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Format, Message, Query, Settings, Tool
from emafusion.wire import faults
from emafusion.wire.anthropic.blocks import Reading
from emafusion.wire.anthropic.params import Limited, Params
from emafusion.wire.anthropic.tools import choice_of, object_of, tools_of
from emafusion.wire.beyond import RichOrigin
from emafusion.wire.body import Fields, fields_of

COUNTING = "anthropic.count_tokens"
"""The dialect of a query whose prompt is only to be counted: no other API can answer it."""

_HEADERS = ("anthropic-version", "anthropic-beta")
WITHHELD = {
    "anthropic-user-profile-id": "user_profile_id",
    "anthropic-workspace-id": "workspace_id",
}
"""Headers that no upstream gets -> the names under which the client is told."""

_BETA = "beta=true"
_WORDS = re.compile(r"[\w.,:; +-]{1,4096}", re.ASCII)
_IN_NOUNS = frozenset(
    {
        "emafusion", "max_tokens", "messages", "model", "output_config", "output_format",
        "stop_sequences", "stream", "system", "temperature", "thinking", "tool_choice", "tools",
        "top_p",
    }
)  # fmt: skip
_DEFAULTS: Mapping[str, frozenset[bytes]] = {
    "service_tier": frozenset({b'"auto"'}),
    "speed": frozenset({b'"standard"'}),
}
_EMPTY = frozenset({b"null", b"{}", b"[]", b"false", b'""'})
_NO_BUDGET = 4096
_MUCH_BUDGET = 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What surrounds a body. `headers`: names in lower case; `parameters`: behind the `?`."""

    headers: Mapping[str, str]
    parameters: str = ""

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """The headers that go along to Anthropic. Raises `BadInput` for one that holds no names."""
        kept = tuple((name, self.headers[name]) for name in _HEADERS if self.headers.get(name))
        for name, value in kept:
            if not _WORDS.fullmatch(value):
                raise BadInput("expected names with commas between them", where=name)
        return kept

    @property
    def withheld(self) -> frozenset[str]:
        """What does not go along: under whose name Anthropic is asked is for its account to say."""
        return frozenset(name for header, name in WITHHELD.items() if self.headers.get(header))

    @property
    def is_beta(self) -> bool:
        """Whether the client asks for the API's beta, as its clients do in the address."""
        return _BETA in self.parameters.split("&")


def decode_query(body: bytes, around: Around, /, *, query_id: str) -> Query:
    """Read the body of `/v1/messages`.

    Every documented parameter is checked; unknown fields are kept in `Query.origin`. Raises
    `BadInput` with the field that is wrong (`messages[2].content[0].text`), and nothing else.

    >>> body = (
    ...     b'{"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}'
    ... )
    >>> decode_query(body, Around(headers={}), query_id="q1").prompt
    'Hi'
    """
    fields = fields_of(body)
    faults.decode(body, Limited)
    return _query(body, fields, around, query_id=query_id)


def decode_count(body: bytes, around: Around, /, *, query_id: str) -> Query:
    """Read the body of `/v1/messages/count_tokens`: a query that is not to be answered."""
    fields = fields_of(body)
    query = _query(body, fields, around, query_id=query_id, dialect=COUNTING)
    return replace(query, stream=False)


def _query(
    body: bytes,
    fields: Fields,
    around: Around,
    *,
    query_id: str,
    dialect: str = "anthropic",
) -> Query:
    params = faults.decode(body, Params)
    reading = Reading(beyond={*_extras(fields), *around.withheld})
    if dialect == COUNTING:
        reading.beyond.add("count_tokens")
    messages = _messages(params, reading)
    tools = tuple(tools_of(params.tools or [], reading.beyond))
    shape = _format(params)
    if messages[-1].role == "assistant":
        reading.beyond.add("prefill")
    user = params.metadata.user_id if params.metadata else None
    return Query(
        query_id=query_id,
        messages=messages,
        requested=params.model,
        tools=tools,
        format=shape,
        settings=_settings(params, tools),
        stream=bool(params.stream),
        include_usage=True,
        user=user,
        origin=RichOrigin(
            dialect=dialect,
            fields=fields,
            beyond=tuple(sorted(reading.beyond)),
            headers=around.kept,
            parameters=_BETA if around.is_beta else "",
        ),
    )


def _messages(params: Params, reading: Reading) -> tuple[Message, ...]:
    messages = list(reading.system(params.system))
    last = len(params.messages) - 1
    for n, param in enumerate(params.messages):
        if not param.content and not (n == last and param.role == "assistant"):
            raise BadInput("must not be empty", where=f"messages[{n}].content")
        messages.extend(reading.turn(param, f"messages[{n}]"))
    return tuple(messages)


def _settings(params: Params, tools: tuple[Tool, ...]) -> Settings:
    choice = params.tool_choice
    alone = choice is not None and choice.disable_parallel_tool_use
    return Settings(
        max_tokens=params.max_tokens,
        temperature=params.temperature,
        top_p=params.top_p,
        stop=tuple(params.stop_sequences or ()),
        tool_choice=choice_of(params, tools),
        parallel_tool_calls=False if alone else None,
        reasoning_effort=_effort(params),
    )


def _effort(params: Params) -> str | None:
    """How much to think, in OpenAI's words; None where the client leaves it open or wants none."""
    thinking, config = params.thinking, params.output_config
    if thinking is not None and thinking.type == "enabled":
        if thinking.budget_tokens is None:
            raise BadInput("is required", where="thinking.budget_tokens")
        if thinking.budget_tokens < _NO_BUDGET:
            return "low"
        return "medium" if thinking.budget_tokens < _MUCH_BUDGET else "high"
    effort = config.effort if config is not None else None
    if effort is None or (thinking is not None and thinking.type == "disabled"):
        return None
    return "xhigh" if effort == "max" else effort


def _format(params: Params) -> Format:
    config = params.output_config
    asked, where = (config.format if config else None), "output_config.format.schema"
    if asked is None:
        asked, where = params.output_format, "output_format.schema"
    if asked is None:
        return Format()
    schema = object_of(asked.schema, where)
    return Format(kind="json_schema", name="answer", schema=schema, strict=True)


def _extras(fields: Fields) -> Iterator[str]:
    """Names of the fields that the nouns have no place for, as far as they say something."""
    for name, value in fields:
        if name == "metadata" or name in _IN_NOUNS or value in _EMPTY:
            continue
        if value not in _DEFAULTS.get(name, frozenset()):
            yield name
