"""What a dialect is: how one provider's API writes requests, replies, streams and errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.command import Call
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query
from emafusion.wire.sse import SseEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """An HTTP POST to be made.

    `path` starts with `/` and follows the deployment's base address, which ends with the API's
    version (`https://api.openai.com/v1` + `/chat/completions`). `headers` hold no key: those come
    from `Dialect.auth`.
    """

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


class StreamReader(Protocol):
    """Reads one stream, event by event; made anew for each call."""

    def feed(self, event: SseEvent, /) -> tuple[Delta, ...]:
        """Turn one event into deltas (often one, may be none).

        Raises the fitting `Failure` for an error event, `Garbled` for one that cannot be read.
        """
        ...

    @property
    def done(self) -> bool:
        """The provider's end marker was seen: nothing more will come."""
        ...

    @property
    def complete(self) -> bool:
        """The answer is whole: a connection that closes now has lost nothing of it.

        True as soon as the finish reason was seen, so it may come before `done` (usage can still
        follow). Some servers never send an end marker: judge a closed connection by this.
        """
        ...


class Dialect(Protocol):
    """One provider's API. Pure and without state: one instance serves every call."""

    @property
    def name(self) -> str:
        """`openai`, `anthropic`, `gemini`: the value of `Origin.dialect` and `Delta.dialect`."""
        ...

    @property
    def base_url(self) -> str:
        """The provider's own address, where the config names none."""
        ...

    def request(self, call: Call, /, *, stream: bool) -> WireRequest:
        """Write the call; `call.candidate.remote_name` is the model name sent."""
        ...

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Headers that carry the key; none for an empty key."""
        ...

    def reply(self, body: bytes, /) -> Reply:
        """Read a whole reply (status 200). Raises `Garbled`, or the failure that the body names."""
        ...

    def reader(self) -> StreamReader:
        """Make a reader for one stream."""
        ...

    def unsupported(self, query: Query, candidate: Candidate | None = None, /) -> tuple[str, ...]:
        """Parameters of the query that this API has no way to say, by their OpenAI names.

        `request` leaves them out; whoever calls it decides whether that is acceptable. Some of it
        depends on the model: name the candidate to learn of that too.
        """
        ...
