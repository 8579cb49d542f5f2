"""Fuzzing of everything that reads bytes of strangers, guided by coverage (atheris, libFuzzer).

    python tests/fuzz/targets.py TARGET [-max_total_time=600] [CORPUS]

Whatever comes in, what comes out is a value or one of our own errors, never anything else. `sse`
besides: cut anywhere, a stream is the same events.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["emafusion"]):
    import httptools

    from emafusion.domain.errors import EmafusionError
    from emafusion.gateway.http import Head
    from emafusion.gateway.inbound import Inbound
    from emafusion.gateway.limits import USUAL
    from emafusion.wire.anthropic import AnthropicDialect, Around
    from emafusion.wire.anthropic import decode_query as decode_messages
    from emafusion.wire.error_body import read_trouble
    from emafusion.wire.gemini import GeminiDialect
    from emafusion.wire.gemini.inbound import Asked
    from emafusion.wire.gemini.inbound import decode_query as decode_contents
    from emafusion.wire.openai import OpenAIDialect, decode_query
    from emafusion.wire.options import decode_options
    from emafusion.wire.responses.inbound import decode_request
    from emafusion.wire.sse import SseEvent, SseParser

DIALECTS = (OpenAIDialect(), AnthropicDialect(), GeminiDialect())


def chat(data: bytes) -> None:
    """A body of chat completions, with what it asks of us."""
    with suppress(EmafusionError):
        decode_options(decode_query(data, query_id="q"))


def messages(data: bytes) -> None:
    """A body of messages."""
    with suppress(EmafusionError):
        decode_messages(data, Around(headers={}), query_id="q")


def contents(data: bytes) -> None:
    """A body of generateContent."""
    with suppress(EmafusionError):
        decode_contents(data, Asked(model="auto"), query_id="q")


def responses(data: bytes) -> None:
    """A body of responses."""
    with suppress(EmafusionError):
        decode_request(data)


def replies(data: bytes) -> None:
    """Whole replies and refusals of a provider, in every dialect."""
    for dialect in DIALECTS:
        with suppress(EmafusionError):
            dialect.reply(data)
    read_trouble(data).failure(500, {})


def streams(data: bytes) -> None:
    """Streams of a provider, in every dialect."""
    for dialect in DIALECTS:
        parser, reader = SseParser(), dialect.reader()
        with suppress(EmafusionError):
            for event in (*parser.feed(data), *parser.close()):
                reader.feed(event)


def sse(data: bytes) -> None:
    """One stream, cut at a place that its first byte names."""
    if not data:
        return
    at, stream = data[0] * len(data) // 256, data[1:]
    assert _events(stream) == _events(stream[:at], stream[at:])


def _events(*pieces: bytes) -> list[SseEvent]:
    parser = SseParser()
    found = [event for piece in pieces for event in parser.feed(piece)]
    return [*found, *parser.close()]


def http(data: bytes) -> None:
    """The bytes of a connection."""
    inbound = Inbound(_Nobody(), USUAL)
    with suppress(EmafusionError, httptools.HttpParserError):
        inbound.feed(data)


class _Nobody:
    """Hears everything, does nothing."""

    def head_came(self, head: Head, /, *, modern: bool, keep_alive: bool) -> None: ...

    def head_refused(self, head: Head, wrong: EmafusionError, /) -> None: ...

    def body_came(self, data: bytes, /) -> None: ...

    def request_came(self) -> None: ...


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (chat, messages, contents, responses, replies, streams, sse, http)
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()
