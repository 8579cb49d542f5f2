"""HTTP as clients, proxies and strangers really write it."""

from __future__ import annotations

import gzip
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import QUESTION, chat, rows, send

BODY = json.dumps({"model": "dear", "messages": QUESTION}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"


def test_head_request_is_a_get_without_body(gateway: Gateway) -> None:
    """HEAD says what GET would, and nothing more."""
    for path in ("/health", "/ready", "/v1/models"):
        reply = send(gateway, "HEAD", path)
        assert (reply.status, reply.raw) == (200, b"")
        assert int(reply.headers["content-length"]) > 0


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "GET", "HEAD"])
def test_wrong_method_says_which_are_right(gateway: Gateway, method: str) -> None:
    """Other methods, a browser's preflight too, are a 405 that names the right one."""
    reply = send(gateway, method, "/v1/chat/completions")
    assert reply.status == 405
    assert reply.headers["allow"] == "POST"
    assert "access-control-allow-origin" not in reply.headers


def test_compressed_body_is_refused(gateway: Gateway) -> None:
    """A compressed body is a 415 in one clear line."""
    path = "/v1/chat/completions"
    reply = send(gateway, "POST", path, gzip.compress(BODY), {"content-encoding": "gzip"})
    assert reply.status == 415
    assert reply.error["message"] == "content-encoding: must not be compressed, got 'gzip'"


@pytest.mark.parametrize(
    "name", ["Authorization", "X-Api-Key", "X-Emafusion-Models", "X-Session-Id"]
)
def test_header_given_twice_is_refused(gateway: Gateway, name: str) -> None:
    """Of two values of a header that we read, none is guessed to be the right one."""
    twice = f"{name}: a\r\n{name}: b\r\n".encode()
    status, body = _raw(gateway, HEAD + twice + _length(BODY) + BODY)
    assert status == 400
    assert json.loads(body)["error"]["param"] == name.lower()


def test_other_headers_may_come_twice(gateway: Gateway) -> None:
    """Headers that are not ours may be repeated, as proxies do."""
    twice = b"via: a\r\nvia: b\r\n"
    assert _raw(gateway, HEAD + twice + _length(BODY) + BODY)[0] == 200


def test_expect_continue(gateway: Gateway) -> None:
    """A client that asks first is told to go on."""
    with _socket(gateway) as talk:
        talk.sendall(HEAD + b"expect: 100-continue\r\nconnection: close\r\n" + _length(BODY))
        assert talk.recv(100).startswith(b"HTTP/1.1 100 ")
        talk.sendall(BODY)
        assert _status(_all(talk)) == 200


def test_http_1_0(gateway: Gateway) -> None:
    """An old client gets its answer, and the connection closes."""
    head = HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert _raw(gateway, head + _length(BODY) + BODY, close=False)[0] == 200


def test_chunked_request_body(gateway: Gateway, provider: Provider) -> None:
    """A body may come in chunks, however small."""
    chunks = b"".join(b"1\r\n" + BODY[i : i + 1] + b"\r\n" for i in range(len(BODY)))
    status, _ = _raw(gateway, HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert status == 200
    assert provider.seen[-1]["messages"] == QUESTION


def test_pipelined_requests_are_answered_in_order(gateway: Gateway) -> None:
    """Two requests in one packet get two answers, in their order."""
    first = HEAD + _length(BODY) + BODY
    second = b"GET /v1/nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    with _socket(gateway) as talk:
        talk.sendall(first + second)
        told = _all(talk)
    assert told.index(b"HTTP/1.1 200") < told.index(b"HTTP/1.1 404")


def test_offer_of_http_2_is_passed_over(gateway: Gateway, provider: Provider) -> None:
    """A client that offers to change to HTTP/2 gets its answer in HTTP/1.1, and may go on."""
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    last = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    with _socket(gateway) as talk:
        talk.sendall(HEAD + offer + _length(BODY) + BODY + last)
        told = _all(talk)
    assert told.count(b"HTTP/1.1 200 OK") == 2
    assert provider.seen[-1]["messages"] == QUESTION


def test_connection_goes_on_after_a_refusal(gateway: Gateway, provider: Provider) -> None:
    """A refused request's body is skipped, and the next request on the connection is answered."""
    refused = BODY * 5000  # more than one read of the socket
    head = HEAD.replace(b"/v1/chat/completions", b"/v1/nowhere")
    last = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    with _socket(gateway) as talk:
        talk.sendall(head + _length(refused) + refused + last)
        told = _all(talk)
    assert told.index(b"HTTP/1.1 404") < told.index(b"HTTP/1.1 200")
    assert not provider.seen


def test_refused_expectation_ends_the_connection(gateway: Gateway) -> None:
    """Who asked before sending its body and was refused will not send it: nothing can follow."""
    head = HEAD.replace(b"/v1/chat/completions", b"/v1/nowhere")
    with _socket(gateway) as talk:
        talk.sendall(head + b"expect: 100-continue\r\n" + _length(BODY))
        told = _all(talk)
    assert _status(told) == 404
    assert b"connection: close" in told


def test_body_of_one_request_is_not_taken_for_the_head_of_the_next(gateway: Gateway) -> None:
    """A large body with the start of another request behind it is within the limit of heads."""
    padded = BODY[:-1] + b" " * 200_000 + b"}"
    last = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    with _socket(gateway) as talk:
        talk.sendall(HEAD + _length(padded) + padded + last[:20])
        time.sleep(0.1)
        talk.sendall(last[20:])
        told = _all(talk)
    assert told.count(b"HTTP/1.1 200 OK") == 2


def test_a_header_cannot_be_smuggled_into_a_response(gateway: Gateway) -> None:
    """What a client says comes back in headers as one line."""
    path = "/v1/models/x%0d%0aset-cookie:%20a=b"
    told = send(gateway, "GET", path)
    assert told.status == 404
    assert "set-cookie" not in told.headers


def test_both_lengths_are_refused(gateway: Gateway) -> None:
    """A request that two readers would cut differently is refused."""
    both = HEAD + b"transfer-encoding: chunked\r\n" + _length(BODY) + BODY
    assert _raw(gateway, both)[0] == 400


def test_endless_head_is_refused(gateway: Gateway) -> None:
    """Headers have a limit, and it is told."""
    with _socket(gateway) as talk:
        talk.sendall(HEAD)
        for _ in range(40):
            talk.sendall(b"x-long: " + b"a" * 4000 + b"\r\n")
            time.sleep(0.002)
            if _arrived(talk):
                break
        told = _all(talk)
    assert _status(told) == 431
    assert b"headers are larger than 65,536 bytes" in told


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00", b"GARBAGE\r\n\r\n", b"\0" * 99])
def test_what_is_not_http_is_a_400_in_shape(gateway: Gateway, noise: bytes) -> None:
    """TLS on a plain port and other noise get an answer in the API's shape."""
    status, body = _raw(gateway, noise)
    assert status == 400
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert send(gateway, "GET", "/health").status == 200


def test_client_that_leaves_while_sending(gateway: Gateway, provider: Provider) -> None:
    """Half a body and gone: nobody is called, nothing is logged, the next one is served."""
    with _socket(gateway) as talk:
        talk.sendall(HEAD + _length(BODY) + BODY[:10])
    assert chat(gateway, model="dear").status == 200
    assert len(provider.seen) == 1
    assert rows(gateway) == [200]


def test_strange_paths(gateway: Gateway) -> None:
    """Whatever the path, the answer is a 404 in shape."""
    for path in ("//", "/v1", "/v1/", "/%00", "/v1/models/%ff", "/v1/models/%0d%0ax", "/?a=b", "*"):
        assert send(gateway, "GET", path).status in {400, 404}


def _length(body: bytes) -> bytes:
    return f"content-length: {len(body)}\r\n\r\n".encode()


def _socket(gateway: Gateway) -> socket.socket:
    at = urlsplit(gateway.url)
    return socket.create_connection((at.hostname or "", at.port or 0), 10)


def _raw(gateway: Gateway, data: bytes, *, close: bool = True) -> tuple[int, bytes]:
    """Status and body of the answer to these bytes."""
    with _socket(gateway) as talk:
        talk.sendall(
            data.replace(b"host: x\r\n", b"host: x\r\nconnection: close\r\n" if close else b"")
        )
        told = _all(talk)
    return _status(told), told.partition(b"\r\n\r\n")[2]


def _status(told: bytes) -> int:
    return int(told.split(b" ", 2)[1])


def _all(talk: socket.socket) -> bytes:
    parts: list[bytes] = []
    try:
        while part := talk.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def _arrived(talk: socket.socket) -> bool:
    talk.settimeout(0)
    try:
        return bool(talk.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        talk.settimeout(10)
