"""Calls through a library: its objects become ours, its exceptions failures, its noise silence."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from tests.upstream.test_remote import WHOLE, Listener, completion, failure_in, piece

from emafusion.domain.command import Call
from emafusion.domain.errors import (
    ContextTooLong,
    Disconnected,
    Failure,
    Overloaded,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorized,
    Unready,
)
from emafusion.domain.query import ask
from emafusion.testing import candidate, check_upstream
from emafusion.upstream.litellm import LiteLLMUpstream, Message
from emafusion.upstream.timeouts import Timeouts

CALL = Call(candidate=replace(candidate("c"), remote_name="bedrock/theirs"), query=ask("Hi"))


@dataclass(frozen=True, slots=True)
class Said:
    """One of the library's objects."""

    json: str

    def model_dump_json(self, *, exclude_none: bool) -> str:
        """Write it as JSON."""
        assert exclude_none
        return self.json


class FakeLibrary:
    """Stands in for the library: says what it is told, and remembers what it was asked."""

    telemetry = True

    def __init__(self, *chunks: str, error: Exception | None = None, delay_s: float = 0.0) -> None:
        self.asked: list[dict[str, object]] = []
        self.closed = 0
        self.callbacks: list[object] = ["somebody"]
        self._chunks = chunks
        self._error = error
        self._delay_s = delay_s

    async def acompletion(self, **fields: object) -> Message | AsyncIterator[Message]:
        """Answer or fail."""
        self.asked.append(fields)
        if fields.get("stream"):
            return self._stream()
        await asyncio.sleep(self._delay_s)
        if self._error is not None:
            raise self._error
        return Said(completion().decode())

    async def _stream(self) -> AsyncIterator[Message]:
        try:
            for chunk in self._chunks:
                yield Said(chunk)
            await asyncio.sleep(self._delay_s)
            if self._error is not None:
                raise self._error
        finally:
            self.closed += 1


CHUNKS = WHOLE[:4]


async def test_a_call_is_answered() -> None:
    """The query goes out in OpenAI's shape under the library's name for the model."""
    library = FakeLibrary()
    upstream = LiteLLMUpstream({"aws_region_name": "eu"}, library=library)
    attempt = await upstream.send(CALL)
    assert attempt.reply is not None
    assert attempt.reply.text == "Hello there"
    asked = library.asked[0]
    assert asked["model"] == "bedrock/theirs"
    assert asked["messages"] == [{"role": "user", "content": "Hi"}]
    assert asked["aws_region_name"] == "eu"
    assert asked["max_retries"] == 0


async def test_a_stream_is_passed_on() -> None:
    """Deltas come one by one; the end of the iteration is the end of the stream."""
    library = FakeLibrary(*CHUNKS)
    listener = Listener()
    attempt = await LiteLLMUpstream(library=library).send(CALL, listener)
    assert attempt.reply is not None
    assert listener.text == "Hello there"
    assert attempt.reply.usage is not None
    assert attempt.sent_live
    assert library.closed == 1


async def test_the_contract_of_upstreams_holds() -> None:
    """Streamed and not agree."""
    await check_upstream(LiteLLMUpstream(library=FakeLibrary(*CHUNKS)), CALL)


def test_reports_and_noise_are_switched_off() -> None:
    """No telemetry, no callbacks, no log lines."""
    library = FakeLibrary()
    LiteLLMUpstream(library=library)
    assert not library.telemetry
    assert library.callbacks == []
    assert not logging.getLogger("LiteLLM").isEnabledFor(logging.CRITICAL)


def named(name: str, base: type[Exception] = Exception, **more: object) -> Exception:
    """Make an exception of a class of that name."""
    kind: type[Exception] = type(name, (base,), more)
    return kind("it was the key sk-made-up-0123456789")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (named("RateLimitError", status_code=429), RateLimited),
        (named("AuthenticationError", status_code=401), Unauthorized),
        (named("ContextWindowExceededError"), ContextTooLong),
        (named("Timeout"), TimedOut),
        (named("APIConnectionError", status_code=500), Disconnected),
        (named("MidStreamFallbackError", type(named("ServiceUnavailableError"))), Overloaded),
        (named("BadRequestError", status_code=400), Rejected),
        (ImportError("no module named boto3"), Rejected),
        (KeyError("choices"), Rejected),
        (ConnectionResetError("gone"), Disconnected),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_exceptions_are_failures_by_their_class(
    error: Exception,
    kind: type[Failure],
    streamed: bool,  # noqa: FBT001 # drawn
) -> None:
    """The nearest known base class decides; the message is one line without a key."""
    library = FakeLibrary(piece("Hel"), error=error)
    attempt = await LiteLLMUpstream(library=library).send(CALL, Listener() if streamed else None)
    failure = failure_in(attempt)
    assert type(failure) is kind
    assert "sk-made-up" not in str(failure)
    assert attempt.sent_live is streamed


async def test_a_wait_that_the_provider_asks_for_is_kept() -> None:
    """`retry-after` is read from the response that the exception carries."""
    response = type("Response", (), {"headers": {"Retry-After": "3"}})()
    error = named("RateLimitError", status_code=429, response=response)
    failure = failure_in(await LiteLLMUpstream(library=FakeLibrary(error=error)).send(CALL))
    assert (failure.retry_after_s, failure.upstream_status) == (3.0, 429)


async def test_a_stream_that_stops_short_is_disconnected() -> None:
    """An iteration that ends without a finish reason is no answer."""
    attempt = await LiteLLMUpstream(library=FakeLibrary(piece("Hel"))).send(CALL, Listener())
    assert isinstance(attempt.failure, Disconnected)


@pytest.mark.parametrize("streamed", [False, True])
async def test_silence_times_out(streamed: bool) -> None:  # noqa: FBT001 # drawn
    """The library is not waited for without end; its stream is closed."""
    library = FakeLibrary(piece("Hel"), delay_s=5.0)
    timeouts = Timeouts(total_s=0.2, between_bytes_s=0.1)
    upstream = LiteLLMUpstream(library=library, timeouts=timeouts)
    attempt = await upstream.send(CALL, Listener() if streamed else None)
    assert isinstance(attempt.failure, TimedOut)
    assert library.closed == int(streamed)
    await upstream.close()


async def test_cancelling_closes_the_stream() -> None:
    """The provider is told that nobody listens any more."""
    library = FakeLibrary(piece("Hel"), delay_s=5.0)
    call = asyncio.create_task(LiteLLMUpstream(library=library).send(CALL, Listener()))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert library.closed == 1


@pytest.mark.skipif(importlib.util.find_spec("litellm") is not None, reason="it is installed")
def test_a_missing_library_says_how_to_get_it() -> None:
    """One line with the command."""
    with pytest.raises(Unready, match=r"pip install 'emafusion\[litellm\]'"):
        LiteLLMUpstream()
