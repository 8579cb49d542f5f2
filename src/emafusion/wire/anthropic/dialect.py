"""The Anthropic dialect as a whole: what an upstream needs of it."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.domain.attempt import Reply
from emafusion.domain.command import Call
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query
from emafusion.wire.anthropic.generation import generation_of
from emafusion.wire.anthropic.inbound import COUNTING
from emafusion.wire.anthropic.outbound import encode_call
from emafusion.wire.anthropic.own import is_own, lost_of
from emafusion.wire.anthropic.reply import decode_reply
from emafusion.wire.anthropic.stream import AnthropicReader
from emafusion.wire.anthropic.turns import is_sendable
from emafusion.wire.asked import asked_of, custom_tools, opaque_parts
from emafusion.wire.beyond import beyond_of, came_in, headers_of, path_with
from emafusion.wire.dialect import StreamReader, WireRequest

_HEADERS = (("content-type", "application/json"), ("anthropic-version", "2023-06-01"))
_CARRIED = frozenset(
    {
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
    }
)


class AnthropicDialect:
    """Anthropic's messages.

    It has no several answers at once (`n`), no log-probabilities, no seed and no JSON mode without
    a schema: candidates behind it should not claim those abilities, and `unsupported` names each
    of them that a query asks for. A JSON schema goes as `output_config.format`, for models with
    the ability `json_schema`.
    """

    name = "anthropic"
    base_url = "https://api.anthropic.com/v1"

    def request(self, call: Call, /, *, stream: bool) -> WireRequest:
        """Write the call; the version and the betas that the client named go along."""
        path = "/messages/count_tokens" if came_in(call.query, COUNTING) else "/messages"
        return WireRequest(
            path=path_with(path, call.query),
            headers=_headers(call.query),
            body=encode_call(call, stream=stream),
        )

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Give the key in a header of its own."""
        return (("x-api-key", api_key),) if api_key else ()

    def reply(self, body: bytes, /) -> Reply:
        """Read a whole reply."""
        return decode_reply(body)

    def reader(self) -> StreamReader:
        """Make a reader for one stream."""
        return AnthropicReader()

    def unsupported(self, query: Query, candidate: Candidate | None = None, /) -> tuple[str, ...]:
        """Name what is left out or changed."""
        if is_own(query):
            return () if candidate is None else tuple(sorted(lost_of(query, candidate)))
        names = {*(asked_of(query) - _CARRIED), *beyond_of(query), *_changed(query)}
        if candidate is not None:
            names |= set(_unknown_to(candidate, query))
        return tuple(sorted(names))


def _headers(query: Query) -> tuple[tuple[str, str], ...]:
    given = headers_of(query)
    if not given:
        return _HEADERS
    named = {name for name, _ in given}
    return (*(pair for pair in _HEADERS if pair[0] not in named), *given)


def _changed(query: Query) -> Iterator[str]:
    settings = query.settings
    if settings.temperature is not None:
        if settings.temperature > 1:
            yield "temperature"
        if settings.top_p is not None:
            yield "top_p"
    if any(not stop.strip() for stop in settings.stop):
        yield "stop"
    if query.format.kind == "json_object" or (
        query.format.kind == "json_schema" and query.format.schema is None
    ):
        yield "response_format"
    if custom_tools(query):
        yield "tools"
    yield from (where for where, part in opaque_parts(query) if not is_sendable(part))


def _unknown_to(candidate: Candidate, query: Query) -> Iterator[str]:
    """Name what this model's generation or abilities do not take."""
    settings, abilities = query.settings, candidate.model.abilities
    thinks = settings.reasoning_effort not in (None, "none") and "reasoning" in abilities
    if thinks or not generation_of(candidate.remote_name).sampling:
        yield from (
            name for name in ("temperature", "top_p") if getattr(settings, name) is not None
        )
    if settings.reasoning_effort not in (None, "none") and "reasoning" not in abilities:
        yield "reasoning_effort"
    if query.format.kind == "json_schema" and "json_schema" not in abilities:
        yield "response_format"
