"""Every other provider, through the `litellm` library: an optional extra."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol, cast

import msgspec

from emafusion.domain.attempt import Attempt, Reply
from emafusion.domain.command import Call
from emafusion.domain.errors import Failure, TimedOut, Unready
from emafusion.domain.ports import Sink
from emafusion.upstream.fold import Fold
from emafusion.upstream.sending import Sending
from emafusion.upstream.stumble import theirs
from emafusion.upstream.timeouts import Timeouts
from emafusion.wire.openai import OpenAIDialect
from emafusion.wire.sse import SseEvent

_MISSING = "the models of `litellm` need that library: pip install 'emafusion[litellm]'"
# Without these it fetches a price list and reads a file `.env` when it is imported.
_CALM_ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
_LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router")


class Message(Protocol):
    """A reply or a chunk of the library: a pydantic model in OpenAI's shape."""

    def model_dump_json(self, *, exclude_none: bool) -> str:
        """Write it as JSON."""
        ...


class Library(Protocol):
    """What is used of the library."""

    async def acompletion(self, **fields: object) -> Message | AsyncIterator[Message]:
        """Make one call; the fields are those of an OpenAI request."""
        ...


class LiteLLMUpstream:
    """Sends calls through the library, its telemetry, callbacks, retries and log off.

    The candidate's remote name is what the library calls the model (`bedrock/...`); keys it reads
    from the environment itself, or from `options`, which are passed with every call. `library`
    takes the place of the real one. Raises `Unready` where that is not installed.
    """

    def __init__(
        self,
        options: Mapping[str, object] | None = None,
        *,
        timeouts: Timeouts | None = None,
        library: Library | None = None,
    ) -> None:
        self._library = _calmed(library if library is not None else _imported())
        self._options = dict(options or {})
        self._timeouts = timeouts or Timeouts()
        self._dialect = OpenAIDialect()

    async def send(self, call: Call, sink: Sink | None = None, /) -> Attempt:
        """Make the call; with a sink, stream, and pass on each delta as it comes."""
        sending = Sending(call)
        try:
            async with asyncio.timeout(self._timeouts.total_s):
                reply = await self._exchange(sending, sink)
        except Failure as failure:
            return sending.failed(failure)
        except TimeoutError:
            message = f"litellm took longer than {self._timeouts.total_s:g} s (total)"
            return sending.failed(TimedOut(message))
        return sending.replied(reply)

    async def close(self) -> None:
        """Nothing of ours is open between calls; the library keeps its own connections."""

    async def _exchange(self, sending: Sending, sink: Sink | None) -> Reply:
        wire = self._dialect.request(sending.call, stream=sink is not None)
        fields = msgspec.json.decode(wire.body, type=dict[str, object])
        fields |= {"max_retries": 0, **self._options}
        said = await theirs(self._library.acompletion(**fields))
        if sink is None:
            return self._dialect.reply(_json(cast("Message", said)))
        fold = sending.fold = Fold(self._dialect.reader(), sink, sending.elapsed_s)
        await self._stream(cast("AsyncIterator[Message]", said), fold)
        return fold.reply(sending.call.candidate.remote_name)

    async def _stream(self, chunks: AsyncIterator[Message], fold: Fold) -> None:
        silence_s = self._timeouts.between_bytes_s
        try:
            while (chunk := await _next(chunks, silence_s)) is not None:
                await fold.take(SseEvent("message", _json(chunk)))
        finally:
            # Closing tells the provider that nobody listens any more.
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await theirs(close())


async def _next(chunks: AsyncIterator[Message], silence_s: float) -> Message | None:
    try:
        async with asyncio.timeout(silence_s):
            return await theirs(anext(chunks, None))
    except TimeoutError:
        raise TimedOut(f"litellm took longer than {silence_s:g} s (between bytes)") from None


def _json(message: Message) -> bytes:
    return message.model_dump_json(exclude_none=True).encode()


def _imported() -> Library:
    for name, value in _CALM_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        return cast("Library", importlib.import_module("litellm"))
    except ImportError as error:
        raise Unready(_MISSING) from error


def _calmed(library: Library) -> Library:
    """Switch off all that reports elsewhere or prints."""
    nobody: Sequence[object] = ()
    silence = {
        "telemetry": False,
        "suppress_debug_info": True,
        "turn_off_message_logging": True,
        "callbacks": list(nobody),
        "success_callback": list(nobody),
        "failure_callback": list(nobody),
    }
    for name, value in silence.items():
        setattr(library, name, value)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return library
