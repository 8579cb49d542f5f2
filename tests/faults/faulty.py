"""A provider that does to each model what the model's name says, as badly as it says it.

The table `FAULTS` is the list of what can go wrong with an upstream. Whatever is not in it is
answered as it should be. `calls` counts what came, by model.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

from tests.gateway.starting import in_thread, until
from tests.upstream.fake_server import (
    Close,
    Hang,
    Pause,
    Reset,
    Say,
    Script,
    chunk,
    head,
    reply,
    stream,
)

SAID = "Oslo is the capital"


def piece(text: str | None, finish: str | None = None, **more: object) -> str:
    """One chunk of a stream."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice], **more})


def answer(content: object = SAID, *, finish: object = "stop", **message: object) -> bytes:
    """A whole completion."""
    told = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": told, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
    body = {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice]}
    return json.dumps({**body, "usage": usage}).encode()


def refusal(message: str = "as scripted") -> bytes:
    """An error body."""
    return json.dumps({"error": {"message": message, "type": "x", "code": None}}).encode()


GOOD = reply(answer())
WORDS = (piece("Oslo"), piece(" is"), piece(" the"), piece(" capital"))
END = piece(None, "stop")
GOOD_STREAM = stream(*WORDS, END, "[DONE]")
CHUNKED = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
HALF = answer()[: len(answer()) // 2]
_HTML = {"content-type": "text/html"}
_LONG = {"content-type": "application/json", "content-length": "9999"}


def _status(status: int, headers: Mapping[str, str] | None = None) -> Script:
    return reply(refusal(), status=status, headers=headers)


WHOLE: dict[str, Script] = {
    "reset-before-head": (Reset(),),
    "close-before-head": (Close(),),
    "reset-mid-head": (Say(b"HTTP/1.1 200 OK\r\ncontent-ty"), Reset()),
    "reset-mid-body": (Say(head(200, _LONG) + HALF), Pause(0.05), Reset()),
    "close-mid-body": (Say(head(200, _LONG) + HALF), Close()),
    "half-json": reply(HALF),
    "empty-body": reply(b""),
    "json-null": reply(b"null"),
    "json-array": reply(b"[]"),
    "html-200": reply(b"<html><body>Welcome to the proxy</body></html>", headers=_HTML),
    "html-502": reply(b"<html><h1>502 Bad Gateway</h1></html>", status=502, headers=_HTML),
    "not-http": (Say(b"SSH-2.0-OpenSSH_9.6\r\n"), Close()),
    "bad-status-line": (Say(b"HTTP/1.1 abc OK\r\n\r\n"), Close()),
    "bad-chunk": (Say(head(200, CHUNKED) + b"zz\r\nxx\r\n"), Close()),
    "chunks-cut-off": (Say(head(200, CHUNKED) + chunk(HALF)), Close()),
    "length-too-long": (Say(head(200, _LONG) + answer()), Close()),
    "two-lengths": (Say(head(200, {"content-length": "5, 7"}) + b"hello"), Close()),
    "giant-head": (Say(b"HTTP/1.1 200 OK\r\n" + b"x-a: " + b"a" * 200_000 + b"\r\n\r\n"), Close()),
    "endless-head": (Say(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 20_000), Hang()),
    "invalid-utf8": reply(answer().replace(b"Oslo", b"Os\xff\xfe")),
    "no-choices": reply(b'{"id": "c", "object": "chat.completion"}'),
    "empty-choices": reply(b'{"id": "c", "object": "chat.completion", "choices": []}'),
    "error-with-200": reply(refusal("out of memory")),
    "brotli": reply(answer(), headers={"content-encoding": "br"}),
    "gzip-broken": reply(b"\x1f\x8b" + b"garbage" * 9, headers={"content-encoding": "gzip"}),
    "gzip-bomb": reply(gzip.compress(b"0" * 80_000_000), headers={"content-encoding": "gzip"}),
    "redirect": _status(302, {"location": "http://127.0.0.1:1/elsewhere"}),
    "status-204": (Say(b"HTTP/1.1 204 No Content\r\n\r\n"),),
    "status-400": _status(400),
    "status-401": _status(401),
    "status-402": _status(402),
    "status-403": _status(403),
    "status-404": _status(404),
    "status-408": _status(408),
    "status-413": _status(413),
    "status-422": _status(422),
    "status-429": _status(429),
    "status-429-seconds": _status(429, {"retry-after": "37"}),
    "status-500": _status(500),
    "status-501": _status(501),
    "status-502": _status(502),
    "status-503": _status(503),
    "status-503-seconds": _status(503, {"retry-after": "37"}),
    "status-504": _status(504),
    "status-529": _status(529),
    "status-599": _status(599),
    "hang": (Hang(),),
    "hang-mid-head": (Say(b"HTTP/1.1 200 OK\r\n"), Hang()),
    "hang-mid-body": (Say(head(200, _LONG) + HALF), Hang()),
}
"""What goes wrong with an answer that is not streamed (and before a stream begins)."""

BEARABLE: dict[str, Script] = {
    "slow-head": (Pause(0.4), *GOOD),
    "slow-body": (
        Say(head(200, {"content-length": str(len(answer()))})),
        *(Say(answer()[at : at + 40]) for at in range(0, len(answer()), 40)),
    ),
    "byte-by-byte": (
        Say(
            head(200, {"content-type": "application/json", "content-length": str(len(answer()))})
            + answer(),
            cut=1,
        ),
    ),
    "gzip-unasked": reply(gzip.compress(answer()), headers={"content-encoding": "gzip"}),
    "no-content-type": (
        Say(head(200, {"content-length": str(len(answer()))}) + answer()),
    ),
    "wrong-content-type": reply(answer(), headers={"content-type": "text/plain"}),
    "no-length": (Say(head(200, {"connection": "close"}) + answer()), Close()),
    "http-1-0": (Say(b"HTTP/1.0 200 OK\r\n\r\n" + answer()), Close()),
    "early-hints": (Say(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"), *GOOD),
    "close-after": (*GOOD, Close()),
    "bytes-after": (*GOOD, Say(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad")),
    "null-content": reply(answer(None)),
    "empty-content": reply(answer("")),
    "unknown-finish": reply(answer(finish="something_new")),
    "null-finish": reply(answer(finish=None)),
    "unknown-fields": reply(answer(annotations=[], new_field={"a": [1, 2]})),
    "no-usage": reply(answer().split(b', "usage"')[0] + b"}"),
    "chunked-whole": (
        Say(head(200, {"transfer-encoding": "chunked"})),
        Say(chunk(answer()) + chunk(b"")),
    ),
}  # fmt: skip
"""What is odd but an answer all the same."""

STREAMS: dict[str, Script] = {
    "s-reset": (*stream(*WORDS[:2], end=False), Pause(0.05), Reset()),
    "s-close": (*stream(*WORDS[:2], end=False), Close()),
    "s-no-end": stream(*WORDS[:2]),
    "s-half-json": stream(WORDS[0], '{"choices": [{"delta"'),
    "s-no-json": stream(WORDS[0], "oops"),
    "s-wrong-type": stream(WORDS[0], '{"choices": 7}'),
    "s-error-event": stream(WORDS[0], '{"error": {"message": "overloaded", "code": 503}}'),
    "s-error-string": stream(WORDS[0], '{"error": "overloaded"}'),
    "s-error-named": (
        *stream(WORDS[0], end=False),
        Say(chunk(b'event: error\ndata: {"message": "overloaded"}\n\n') + chunk(b"")),
    ),
    "s-bad-chunk": (*stream(WORDS[0], end=False), Say(b"zz\r\nxx\r\n"), Close()),
    "s-invalid-utf8": (
        *stream(WORDS[0], end=False),
        Say(chunk(b"data: %b\n\n" % WORDS[1].encode().replace(b" is", b"\xff\xfe"))),
        Say(chunk(b"")),
    ),
    "s-done-without-finish": stream(*WORDS[:2], "[DONE]"),
    "s-html": (
        *stream(WORDS[0], end=False),
        Say(chunk(b"<html>gateway error</html>") + chunk(b"")),
    ),
    "s-hang": (*stream(WORDS[0], end=False), Hang()),
    "s-giant-line": (
        *stream(WORDS[0], end=False),
        *(Say(chunk(b"data: " * (n == 0) + b"x" * 2**20)) for n in range(70)),
        Hang(),
    ),
}  # fmt: skip
"""What goes wrong after the first word of a stream was said."""

STREAMS_BEARABLE: dict[str, Script] = {
    "s-no-done": stream(*WORDS, END),
    "s-no-done-close": (*stream(*WORDS, END, end=False), Close()),
    "s-two-finishes": stream(*WORDS, END, END, "[DONE]"),
    "s-after-finish": stream(*WORDS, END, piece(None), "[DONE]"),
    "s-no-choices": stream(*WORDS, '{"choices": []}', END, "[DONE]"),
    "s-null-content": stream(piece(None), *WORDS, END, "[DONE]"),
    "s-comments": (
        *stream(*WORDS[:2], end=False),
        Say(chunk(b": ping\n\n: OPENROUTER PROCESSING\n\nretry: 3\nid: 7\n\n")),
        *(Say(chunk(f"data: {each}\n\n".encode())) for each in (*WORDS[2:], END)),
        Say(chunk(b"data: [DONE]\n\n") + chunk(b"")),
    ),
    "s-byte-by-byte": tuple(
        Say(act.data, cut=7) if isinstance(act, Say) else act for act in GOOD_STREAM
    ),
    "s-crlf": (
        Say(head(200, CHUNKED)),
        *(Say(chunk(f"data: {each}\r\n\r\n".encode())) for each in (*WORDS, END, "[DONE]")),
        Say(chunk(b"")),
    ),
    "s-whole-answer": GOOD,
}  # fmt: skip
"""What is odd in a stream, and a whole answer all the same."""

FAULTS: dict[str, Script] = {**WHOLE, **BEARABLE, **STREAMS, **STREAMS_BEARABLE}


@dataclass(eq=False)
class Faulty:
    """The provider.

    `now`: what a model does now instead of what its name says; `plan`: what it does call by call,
    None for what it should, as after the end of the plan. `calls`: requests so far, by model;
    `at`: when each came; `left`: when clients went away from a `Hang`; `busy`, `most`: requests
    under way, and the most there ever were.
    """

    url: str = ""
    now: dict[str, Script] = field(default_factory=dict)
    plan: dict[str, Iterator[Script | None]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    at: list[tuple[str, float]] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    busy: int = 0
    most: int = 0
    bodies: bool = False
    seen: list[bytes] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, stop: threading.Event, ready: Callable[[], None]) -> None:
        """Serve until told to stop."""
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, backlog=2048)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready()
        await until(stop)
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        raw = await reader.readuntil(b"\r\n\r\n")
        headers = _headers(raw)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        model, streams = _wanted(body)
        self.calls[model] += 1
        self.at.append((model, time.monotonic()))
        if self.bodies:
            self.heads.append(headers)
            self.seen.append(body)
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            return await self._say(self._script(model, streams=streams), reader, writer)
        finally:
            self.busy -= 1

    def _script(self, model: str, *, streams: bool) -> Script:
        good = GOOD_STREAM if streams else GOOD
        planned = next(self.plan[model], None) if model in self.plan else None
        return planned or self.now.get(model) or FAULTS.get(model) or good

    async def _say(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        for act in script:
            match act:
                case Say(data, cut):
                    await _write(writer, data, cut)
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                case Hang():
                    with contextlib.suppress(ConnectionError):
                        await reader.read()
                    self.left.append(time.monotonic())
                    return False
                case Close():
                    return False
                case Reset():
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                    return False
        return True


def in_two_days() -> str:
    """A date as HTTP writes it."""
    return formatdate(time.time() + 2 * 86_400, usegmt=True)


def start(faulty: Faulty) -> Callable[[], None]:
    """Start it in a thread; returns what ends it."""
    return in_thread(faulty.run)


async def _write(writer: asyncio.StreamWriter, data: bytes, cut: int) -> None:
    for at in range(0, len(data), cut or len(data) or 1):
        writer.write(data[at : at + cut] if cut else data)
        await writer.drain()
        if cut:
            await asyncio.sleep(0)


def _headers(raw: bytes) -> dict[str, str]:
    lines = raw.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.lower(): value.strip() for name, _, value in pairs}


def _wanted(body: bytes) -> tuple[str, bool]:
    try:
        told: dict[str, Any] = json.loads(body)
    except ValueError:
        return "?", False
    return str(told.get("model")), bool(told.get("stream"))
