"""Faults of providers and clients over real sockets: honest status, row in the log, no hang."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import CHEAP_AND_DEAR, Gateway, StartGateway, in_thread, until
from tests.gateway.talking import QUESTION, Said, chat, connection, rows
from tests.gateway.talking import until as wait_until
from tests.upstream.fake_server import (
    Close,
    FakeServer,
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


def _piece(text: str) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})


FAILURES = "select failure from outcomes"
END = json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
WHOLE = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Oslo"},
                "finish_reason": "stop",
            }
        ],
    }
).encode()


@pytest.fixture
def upstream() -> Iterator[FakeServer]:
    """A scripted server that is up."""
    server = FakeServer()

    async def work(stop: threading.Event, ready: Callable[[], None]) -> None:
        async with server:
            ready()
            await until(stop)

    end = in_thread(work)
    yield server
    end()


@pytest.fixture
def scripted(start_gateway: StartGateway, upstream: FakeServer) -> Gateway:
    """A gateway in front of the scripted server."""
    return start_gateway(models=CHEAP_AND_DEAR.replace("URL", f"{upstream.url}/v1"))


def test_stream_that_breaks_is_told_in_the_stream(scripted: Gateway, upstream: FakeServer) -> None:
    """What was said went out; then comes an error, and no end marker; the log has the row."""
    upstream.will(stream(_piece("The capital"), _piece(" is"), end=False), Pause(0.1), Reset())
    told = chat(scripted, model="dear", stream=True)
    events = _events(told)
    assert told.status == 200
    assert [_text(event) for event in events[:2]] == ["The capital", " is"]
    assert set(events[-1]["error"]) == {"message", "type", "param", "code"}
    assert b"[DONE]" not in told.raw
    assert rows(scripted, FAILURES) == ["disconnected"]
    assert len(upstream.seen) == 1, "what the client saw part of is not tried again"


@pytest.mark.parametrize(
    "broken",
    [
        stream(_piece("The"), "{not json"),
        stream(_piece("The"), '{"choices": 7}'),
        stream(_piece("The"), '{"error": {"message": "out of memory", "code": 500}}'),
        stream(_piece("The")),
        (*stream(_piece("The"), end=False), Say(b"zz\r\n"), Close()),
    ],
    ids=["no-json", "no-chunk", "error-event", "no-end", "no-chunk-size"],
)
def test_malformed_stream_is_told_in_the_stream(
    scripted: Gateway, upstream: FakeServer, broken: Script
) -> None:
    """Whatever a stream breaks by, the client hears of it and is not left waiting."""
    upstream.will(broken)
    told = chat(scripted, model="dear", stream=True)
    assert _text(_events(told)[0]) == "The"
    assert "error" in _events(told)[-1]
    assert b"[DONE]" not in told.raw
    assert len(rows(scripted, FAILURES)) == 1


def test_stream_that_breaks_before_a_word_is_a_status(
    scripted: Gateway, upstream: FakeServer
) -> None:
    """Before anything was said the failure is still an HTTP status."""
    upstream.will(Reset())
    told = chat(scripted, {"x-emafusion-max-latency-s": "1.5"}, model="dear", stream=True)
    assert told.status in {502, 504}
    assert told.error["message"]


def test_slow_first_byte_is_waited_for(scripted: Gateway, upstream: FakeServer) -> None:
    """Slow is not broken."""
    upstream.will(Pause(1.0), reply(WHOLE))
    assert chat(scripted, model="dear").body["choices"][0]["message"]["content"] == "Oslo"


def test_rate_limit_reaches_the_client_with_its_wait(
    scripted: Gateway, upstream: FakeServer
) -> None:
    """A provider that asks for a pause longer than ours is passed on, `retry-after` too."""
    upstream.will(
        reply(b'{"error": {"message": "slow"}}', status=429, headers={"retry-after": "41"})
    )
    told = chat(scripted, model="dear")
    assert (told.status, told.headers["retry-after"]) == (429, "41")
    assert told.error["type"] == "rate_limit_error"
    assert len(upstream.seen) == 1


def test_short_wait_is_waited_out(scripted: Gateway, upstream: FakeServer) -> None:
    """A pause that is short is kept to, and the client only sees the answer."""
    upstream.will(reply(status=429, headers={"retry-after": "1"}))
    upstream.will(reply(WHOLE))
    told = chat(scripted, model="dear")
    assert told.status == 200
    assert told.headers["x-emafusion-attempts"] == "2"


def test_nobody_answers_the_door(start_gateway: StartGateway) -> None:
    """Connection refused by all: a gateway error, which names the host and no key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    gateway = start_gateway(models=CHEAP_AND_DEAR.replace("URL", gone))
    told = chat(gateway)
    assert told.status in {502, 503}
    assert "127.0.0.1" in told.error["message"]
    assert "/v1" not in told.error["message"]
    assert rows(gateway) == [told.status]


def test_server_that_speaks_no_tls(start_gateway: StartGateway) -> None:
    """TLS that does not come about is a gateway error, in time."""
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=_refuse_tls, args=(plain,), daemon=True).start()
        url = f"https://127.0.0.1:{plain.getsockname()[1]}/v1"
        gateway = start_gateway(models=CHEAP_AND_DEAR.replace("URL", url))
        told = chat(gateway, {"x-emafusion-max-latency-s": "10"}, model="dear")
    assert told.status == 502
    assert "127.0.0.1" in told.error["message"]


def test_deadline_while_streaming(scripted: Gateway, upstream: FakeServer) -> None:
    """A stream that stalls ends at the deadline, with an error event."""
    upstream.will(stream(_piece("The"), end=False), Hang())
    told = chat(scripted, {"x-emafusion-max-latency-s": "0.5"}, model="dear", stream=True)
    assert _text(_events(told)[0]) == "The"
    assert _events(told)[-1]["error"]["code"] == "deadline_passed"
    assert rows(scripted) == [504]


def test_slow_client_slows_its_provider(scripted: Gateway, upstream: FakeServer) -> None:
    """Of forty megabytes for a client that reads nothing, only buffers are in memory."""
    piece = chunk(f"data: {_piece('x' * 20_000)}\n\n".encode())
    kind = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    said = tuple(Say(piece) for _ in range(2000))
    last = Say(chunk(f"data: {END}\n\n".encode()) + chunk(b""))
    upstream.will(Say(head(200, kind)), *said, last)
    before = _resident_mb()
    talk = connection(scripted)
    talk.request("POST", "/v1/chat/completions", _asking(stream=True))
    answer = talk.getresponse()
    answer.read(1)
    threading.Event().wait(1.5)
    assert _resident_mb() - before < 30
    assert answer.read().endswith(b"data: [DONE]\n\n")
    talk.close()


def test_three_hundred_streams_at_once(start_gateway: StartGateway, provider: Provider) -> None:
    """Each of three hundred concurrent streams is whole and its own."""
    gateway = start_gateway(max_concurrent=400)
    provider.script = {"dear": "slow:one two three"}
    told = asyncio.run(_many(gateway, 300))
    assert all(raw.count(b"data: ") == 5 for raw in told)
    assert all(raw.rstrip().endswith(b"0") and b"[DONE]" in raw for raw in told)
    assert rows(gateway) == [200] * 300


def test_client_leaves_a_held_step(gateway: Gateway, provider: Provider) -> None:
    """Also where an answer is held back, leaving ends the call within a second."""
    provider.script = {"cheap": "hang"}
    talk = connection(gateway)
    asked = _asking(model="auto", stream=True, emafusion={"models": ["cheap"]})
    talk.request("POST", "/v1/chat/completions", asked)
    wait_until(lambda: provider.seen)
    talk.close()
    assert provider.left.wait(1.0)
    wait_until(lambda: rows(gateway) == [499])


def test_client_leaves_while_we_wait_to_try_again(scripted: Gateway, upstream: FakeServer) -> None:
    """Waiting before a retry ends with the client, and the retry never comes."""
    upstream.will(reply(status=429, headers={"retry-after": "2"}))
    talk = connection(scripted)
    talk.request("POST", "/v1/chat/completions", _asking())
    wait_until(lambda: upstream.seen)
    talk.close()
    wait_until(lambda: rows(scripted) == [499], seconds=1.0)
    assert len(upstream.seen) == 1


def _refuse_tls(plain: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            talk, _ = plain.accept()
            talk.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            talk.close()


def _asking(**fields: object) -> bytes:
    return json.dumps({"model": "dear", "messages": QUESTION, **fields}).encode()


def _events(told: Said) -> list[dict[str, dict[str, str]]]:
    lines = [line for line in told.raw.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


def _text(event: dict[str, dict[str, str]]) -> str:
    choices: object = event["choices"]
    assert isinstance(choices, list)
    return str(choices[0]["delta"]["content"])


def _resident_mb() -> float:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096 / 2**20


async def _many(gateway: Gateway, count: int) -> list[bytes]:
    at = urlsplit(gateway.url)
    body = _asking(stream=True)
    asked = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(asked)
        told = await reader.read()
        writer.close()
        return told

    return list(await asyncio.gather(*(one() for _ in range(count))))
