"""Every API tells its errors in its own shape: wrong bodies, and what comes before any handler."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import Body, send

TURN: Body = {"role": "user", "content": "Hi"}
CONTENT: Body = {"parts": [{"text": "Hi"}]}


def _anthropic(body: Body, _status: int) -> None:
    assert set(body) == {"type", "error"}
    assert body["type"] == "error"
    assert set(body["error"]) == {"type", "message"}
    assert body["error"]["message"]


def _google(body: Body, status: int) -> None:
    assert set(body) == {"error"}
    assert {"code", "message", "status"} <= set(body["error"])
    assert body["error"]["code"] == status


def _openai(body: Body, _status: int) -> None:
    assert set(body["error"]) == {"message", "type", "param", "code"}


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """An API: where it is, what is right there, and how to tell its errors."""

    path: str
    right: Body
    looks_right: Callable[[Body, int], None]


SPOKEN = {
    "chat": Spoken(
        path="/v1/chat/completions",
        right={"model": "auto", "messages": [TURN]},
        looks_right=_openai,
    ),
    "messages": Spoken(
        path="/v1/messages",
        right={"model": "auto", "max_tokens": 9, "messages": [TURN]},
        looks_right=_anthropic,
    ),
    "count": Spoken(
        path="/v1/messages/count_tokens",
        right={"model": "auto", "messages": [TURN]},
        looks_right=_anthropic,
    ),
    "generate": Spoken(
        path="/v1beta/models/auto:generateContent",
        right={"contents": [CONTENT]},
        looks_right=_google,
    ),
    "stream": Spoken(
        path="/v1beta/models/auto:streamGenerateContent?alt=sse",
        right={"contents": [CONTENT]},
        looks_right=_google,
    ),
}


@pytest.fixture(params=list(SPOKEN))
def spoken(request: pytest.FixtureRequest) -> Spoken:
    """One of the APIs."""
    return SPOKEN[str(request.param)]


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    """A gateway that is open to everybody."""
    return start_gateway()


def bodies(right: Body) -> list[bytes]:
    """Bodies that cannot be right, whatever the API."""
    text = json.dumps(right).encode()
    listed = next(name for name in ("messages", "contents") if name in right)
    deep = b'{"%b": ' % listed.encode() + b"[" * 5000 + b"]" * 5000 + b"}"
    values: list[object] = [None, 3, "Hi", {}, [], [3], [None], [[]], [{}]]
    wrong = [{**right, listed: value} for value in values]
    broken = [
        b"", b" ", b"null", b"3", b'"x"', b"[]", b"[{}]", b"true", b"{", b"}", b"{}", b"nul",
        text[:-1], text[1:], text + b"x", text + text, b"\xff\xfe" + text, b"\x00" + text,
        text.replace(b"Hi", b"\xff"), text.replace(b"Hi", b"\n"), text.replace(b"Hi", b"\\x"),
        text.replace(b'"Hi"', b"NaN"), text.replace(b'"Hi"', b"Infinity"),
        text.replace(b'"Hi"', b"'Hi'"), text.replace(b":", b"="), text.replace(b",", b";")[:-2],
        b'{"%b": 1, ' % listed.encode() + text[1:], deep, b"<xml/>", b"model=auto",
        b"--x\r\ncontent-disposition: form-data\r\n\r\n",
    ]  # fmt: skip
    unknown: list[object] = [3, [], {"qualty": 1}, {"models": "x"}]
    options = [{**right, "emafusion": value} for value in unknown]
    return [*broken, *(json.dumps(body).encode() for body in (*wrong, *options))]


def test_bodies_that_cannot_be_right(gateway: Gateway, provider: Provider, spoken: Spoken) -> None:
    """Dozens of kinds, each a 4xx in the API's shape, and no model is asked."""
    for body in bodies(spoken.right):
        said = send(gateway, "POST", spoken.path, body)
        assert 400 <= said.status < 500, body[:80]
        spoken.looks_right(said.body, said.status)
    assert provider.seen == []


def test_what_comes_before_a_handler(start_gateway: StartGateway, spoken: Spoken) -> None:
    """No key, the wrong method, a compressed body, one that is too large, two keys."""
    gateway = start_gateway(keys=("k",))
    opened = {"x-api-key": "k"}
    text = json.dumps(spoken.right).encode()
    tries = [
        (401, "POST", text, {}),
        (405, "GET", None, opened),
        (405, "DELETE", None, opened),
        (415, "POST", text, {**opened, "content-encoding": "gzip"}),
        (413, "POST", text, {**opened, "content-length": str(2**40)}),
        (400, "POST", text, {**opened, "x-emafusion-qualty": "1"}),
    ]
    for status, method, body, headers in tries:
        said = send(gateway, method, spoken.path, body, headers)
        assert said.status == status
        spoken.looks_right(said.body, status)


def test_where_there_is_nothing(gateway: Gateway) -> None:
    """A path below an API's own is told in its shape, with or without `/v1`."""
    for path in ("/v1/messages/nothing", "/messages/nothing", "/v1/v1/messages/x/y"):
        _anthropic(send(gateway, "POST", path, b"{}").body, 404)
    _google(send(gateway, "POST", "/v1beta/nothing", b"{}").body, 404)
    _openai(send(gateway, "POST", "/v1/nothing", b"{}").body, 404)


def test_http_that_breaks_off_inside_a_body(gateway: Gateway, spoken: Spoken) -> None:
    """What cannot be read as HTTP any more is told in the shape of the path that was asked."""
    place = urlsplit(gateway.url)
    head = f"POST {spoken.path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n"
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as line:
        line.sendall(head.encode())
        data = b"".join(iter(lambda: line.recv(65536), b""))
    status = int(data.split(b" ")[1])
    assert 400 <= status < 500
    spoken.looks_right(json.loads(data.partition(b"\r\n\r\n")[2]), status)


def test_no_room(start_gateway: StartGateway, provider: Provider, spoken: Spoken) -> None:
    """As many as this gateway takes are under way."""
    provider.script = {"cheap": "hang", "dear": "hang"}
    gateway = start_gateway(max_concurrent=0)
    said = send(gateway, "POST", spoken.path, json.dumps(spoken.right).encode())
    assert said.status in (429, 503)
    assert said.headers["retry-after"]
    spoken.looks_right(said.body, said.status)
