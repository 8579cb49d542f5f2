"""The Gemini dialect as a whole: what an upstream needs of it."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.domain.attempt import Reply
from emafusion.domain.command import Call
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query
from emafusion.wire.asked import asked_of, custom_tools, opaque_parts
from emafusion.wire.beyond import beyond_of, came_in
from emafusion.wire.dialect import StreamReader, WireRequest
from emafusion.wire.gemini.inbound import COUNTING
from emafusion.wire.gemini.outbound import (
    counting_path,
    encode_call,
    path_of,
    shapes_beside_tools,
)
from emafusion.wire.gemini.own import is_own, lost_of
from emafusion.wire.gemini.reply import decode_reply
from emafusion.wire.gemini.stream import GeminiReader
from emafusion.wire.gemini.turns import is_sendable

_HEADERS = (("content-type", "application/json"),)
_CARRIED = frozenset(
    {
        "logprobs",
        "n",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
    }
)


class GeminiDialect:
    """Google's Gemini API.

    It has no switch against parallel tool calls. Function calls of a conversation go without the
    signatures of the thoughts behind them, which OpenAI's dialect cannot hold; newer models are
    told so in the way that Google documents.
    """

    name = "gemini"
    base_url = "https://generativelanguage.googleapis.com/v1beta"

    def request(self, call: Call, /, *, stream: bool) -> WireRequest:
        """Write the call."""
        path = path_of(call.candidate.remote_name, stream=stream)
        if came_in(call.query, COUNTING):
            path = counting_path(call.candidate.remote_name)
        return WireRequest(path=path, headers=_HEADERS, body=encode_call(call))

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Give the key in a header of its own."""
        return (("x-goog-api-key", api_key),) if api_key else ()

    def reply(self, body: bytes, /) -> Reply:
        """Read a whole reply."""
        return decode_reply(body)

    def reader(self) -> StreamReader:
        """Make a reader for one stream."""
        return GeminiReader()

    def unsupported(self, query: Query, candidate: Candidate | None = None, /) -> tuple[str, ...]:
        """Name what is left out or changed."""
        if is_own(query):
            return () if candidate is None else tuple(lost_of(query, candidate))
        names = {*(asked_of(query) - _CARRIED), *beyond_of(query), *_changed(query)}
        if query.settings.parallel_tool_calls is not False:
            names.discard("parallel_tool_calls")
        if candidate is not None:
            names |= set(_unknown_to(candidate, query))
        return tuple(sorted(names))


def _changed(query: Query) -> Iterator[str]:
    if custom_tools(query):
        yield "tools"
    yield from (where for where, part in opaque_parts(query) if not is_sendable(part))


def _unknown_to(candidate: Candidate, query: Query) -> Iterator[str]:
    """Name what this model's generation or abilities do not take."""
    shaped = query.format.kind != "text" and query.tools
    if shaped and not shapes_beside_tools(candidate.remote_name):
        yield "response_format"
    thinks = query.settings.reasoning_effort not in (None, "none")
    if thinks and "reasoning" not in candidate.model.abilities:
        yield "reasoning_effort"
