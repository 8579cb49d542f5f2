"""The OpenAI dialect as a whole: what an upstream needs of it."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.domain.attempt import Reply
from emafusion.domain.command import Call
from emafusion.domain.errors import Failure
from emafusion.domain.query import Query
from emafusion.wire.dialect import StreamReader, WireRequest


class OpenAIDialect:
    """OpenAI and every server that speaks like it."""

    name = "openai"
    base_url = "https://api.openai.com/v1"

    def request(self, call: Call, /, *, stream: bool) -> WireRequest:
        """Write the call."""
        raise NotImplementedError

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Give the key as a bearer token."""
        raise NotImplementedError

    def reply(self, body: bytes, /) -> Reply:
        """Read a whole reply."""
        raise NotImplementedError

    def reader(self) -> StreamReader:
        """Make a reader for one stream."""
        raise NotImplementedError

    def failure(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        /,
        *,
        now: float | None = None,
    ) -> Failure:
        """Say what an error reply means."""
        raise NotImplementedError

    def unsupported(self, query: Query, /) -> tuple[str, ...]:
        """Name what cannot be said in this dialect: nothing."""
        raise NotImplementedError
