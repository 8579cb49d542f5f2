"""Requests that two readers could understand differently are refused, and nothing is smuggled."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest
from tests.faults.asking import body_of, dial, everything, post, status_of
from tests.faults.faulty import Faulty
from tests.faults.serving import Served, models, serve

BODY = body_of("good")
SIZE = len(BODY)
LINE = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"host: x\r\n"
LENGTH = b"content-length: %d\r\n" % SIZE
CHUNKED = b"transfer-encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY)
END = b"\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


def _post(*headers: bytes, body: bytes = BODY, line: bytes = LINE) -> bytes:
    return line + HOST + b"".join(headers) + b"connection: close\r\n\r\n" + body


ANSWER = re.compile(rb"HTTP/1\.1 \d{3}")

REFUSED: dict[str, bytes] = {
    "two-lengths": _post(LENGTH, b"content-length: 3\r\n"),
    "same-length-twice": _post(LENGTH, LENGTH),
    "list-of-lengths": _post(b"content-length: %d, %d\r\n" % (SIZE, SIZE)),
    "length-with-plus": _post(b"content-length: +%d\r\n" % SIZE),
    "negative-length": _post(b"content-length: -1\r\n"),
    "hex-length": _post(b"content-length: 0x10\r\n"),
    "length-of-no-end": _post(b"content-length: 99999999999999999999999\r\n"),
    "empty-length": _post(b"content-length: \r\n"),
    "length-with-blank": _post(b"content-length : %d\r\n" % SIZE),
    "length-and-chunks": _post(LENGTH, CHUNKED, body=CHUNKS),
    "chunks-and-length": _post(CHUNKED, LENGTH, body=CHUNKS),
    "unknown-coding": _post(b"transfer-encoding: xchunked\r\n", body=CHUNKS),
    "identity-coding": _post(b"transfer-encoding: identity\r\n", LENGTH),
    "chunked-not-last": _post(b"transfer-encoding: chunked, identity\r\n", body=CHUNKS),
    "gzip-then-chunked": _post(b"transfer-encoding: gzip, chunked\r\n", body=CHUNKS),
    "chunked-twice": _post(CHUNKED, CHUNKED, body=CHUNKS),
    "vertical-tab": _post(b"transfer-encoding: \x0bchunked\r\n", body=CHUNKS),
    "coding-with-blank": _post(b"transfer-encoding : chunked\r\n", body=CHUNKS),
    "folded-line": _post(b"x-a: b\r\n c\r\n", LENGTH),
    "folded-first-line": LINE + b" x: y\r\n" + HOST + LENGTH + END + BODY,
    "bare-line-feeds": (LINE + HOST + LENGTH + END).replace(b"\r\n", b"\n") + BODY,
    "bare-carriage-return": _post(b"x-a: b\rc\r\n", LENGTH),
    "nul-in-value": _post(b"x-a: b\x00c\r\n", LENGTH),
    "nul-in-name": _post(b"x-\x00a: b\r\n", LENGTH),
    "control-in-value": _post(b"x-a: b\x01c\r\n", LENGTH),
    "no-colon": _post(b"x-a\r\n", LENGTH),
    "no-name": _post(b": b\r\n", LENGTH),
    "blank-in-name": _post(b"x a: b\r\n", LENGTH),
    "eight-bit-name": _post(b"x-\xff: b\r\n", LENGTH),
    "no-host": LINE + LENGTH + END + BODY,
    "two-hosts": _post(b"host: y\r\n", LENGTH),
    "empty-host": LINE + b"host: \r\n" + LENGTH + END + BODY,
    "host-with-blank": LINE + b"host: a b\r\n" + LENGTH + END + BODY,
    "host-with-path": LINE + b"host: a/b\r\n" + LENGTH + END + BODY,
    "blank-before-method": b" " + _post(LENGTH),
    "small-method": _post(LENGTH, line=LINE.replace(b"POST", b"post")),
    "unknown-method": _post(LENGTH, line=LINE.replace(b"POST", b"FOO")),
    "tab-in-line": _post(LENGTH, line=LINE.replace(b"POST ", b"POST\t")),
    "blank-in-path": _post(LENGTH, line=LINE.replace(b"chat", b"ch at")),
    "nul-in-path": HEALTH.replace(b"/health", b"/health\x00"),
    "eight-bit-path": HEALTH.replace(b"/health", b"/h\xe4lth"),
    "version-0.9": b"GET /health\r\n\r\n",
    "version-1.2": _post(LENGTH, line=LINE.replace(b"1.1", b"1.2")),
    "version-2.0": _post(LENGTH, line=LINE.replace(b"1.1", b"2.0")),
    "http-2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "chunks-in-1.0": _post(CHUNKED, line=LINE.replace(b"1.1", b"1.0"), body=CHUNKS),
    "connect": b"CONNECT evil:443 HTTP/1.1\r\nhost: evil:443\r\n\r\n",
    "size-no-number": _post(CHUNKED, body=b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "size-negative": _post(CHUNKED, body=b"-5\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "size-with-0x": _post(CHUNKED, body=b"0x%x\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY)),
    "size-of-no-end": _post(CHUNKED, body=b"f" * 20 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "size-with-blank": _post(CHUNKED, body=b"%x \r\n%b\r\n0\r\n\r\n" % (SIZE, BODY)),
    "chunk-without-end": _post(CHUNKED, body=b"%x\r\n%b0\r\n\r\n" % (SIZE, BODY)),
    "chunk-bare-line-feed": _post(CHUNKED, body=b"%x\n%b\n0\n\n" % (SIZE, BODY)),
    "length-in-trailer": _post(
        CHUNKED, body=b"%x\r\n%b\r\n0\r\ncontent-length: 5\r\n\r\n" % (SIZE, BODY)
    ),
    "unknown-expectation": _post(b"expect: magic\r\n", LENGTH),
    "compressed": _post(b"content-encoding: gzip\r\n", LENGTH),
    "key-twice": _post(b"authorization: Bearer a\r\nauthorization: Bearer b\r\n", LENGTH),
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 99,
    "giant-header": _post(b"x-a: " + b"a" * 70_000 + b"\r\n", LENGTH),
    "many-headers": _post(b"x-a: b\r\n" * 1000, LENGTH),
    "giant-path": HEALTH.replace(b"/health", b"/" + b"a" * 70_000),
    "path-upwards": HEALTH.replace(b"/health", b"/v1/../health"),
    "path-upwards-quoted": HEALTH.replace(b"/health", b"/v1/%2e%2e/health"),
    "quoted-slash": HEALTH.replace(b"/health", b"%2fhealth"),
    "trace": HEALTH.replace(b"GET", b"TRACE"),
    "star": HEALTH.replace(b"GET /health", b"OPTIONS *"),
}
"""Each is a 4xx or 505 with a JSON error, and the connection ends."""

TAKEN: dict[str, bytes] = {
    "plain": _post(LENGTH),
    "chunked": _post(CHUNKED, body=CHUNKS),
    "tab-before-value": _post(b"transfer-encoding:\tchunked\r\n", body=CHUNKS),
    "chunk-extension": _post(CHUNKED, body=b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (SIZE, BODY)),
    "trailer": _post(CHUNKED, body=b"%x\r\n%b\r\n0\r\nx-a: b\r\n\r\n" % (SIZE, BODY)),
    "empty-lines-before": b"\r\n\r\n" + _post(LENGTH),
    "absolute-address": _post(LENGTH, line=LINE.replace(b" /", b" http://evil.example/")),
    "version-1.0": _post(LENGTH, line=LINE.replace(b"1.1", b"1.0")),
    "no-host-in-1.0": LINE.replace(b"1.1", b"1.0") + LENGTH + END + BODY,
    "names-in-capitals": _post(LENGTH.upper()),
    "host-with-port": _post(LENGTH).replace(b"host: x", b"host: [::1]:8080"),
}
"""Unusual, and clear all the same."""


@pytest.fixture(scope="module")
def served(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One gateway for all of it."""
    gateway = serve(tmp_path_factory.mktemp("strict"), models(faulty.url, "good"))
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(served: Served, faulty: Faulty, name: str) -> None:
    """One JSON error, the connection ends, nobody is called; what follows is not answered."""
    before = faulty.calls["good"]
    with dial(served.gateway, 5.0) as talk:
        talk.sendall(REFUSED[name] + HEALTH)
        told = everything(talk)
    ends_here = name not in {"path-upwards", "path-upwards-quoted", "trace", "star"}
    assert status_of(told) in {400, 404, 405, 415, 417, 431, 505}, told
    assert b'{"error":{' in told
    assert len(ANSWER.findall(told)) == 1 or not ends_here, told
    assert faulty.calls["good"] == before


@pytest.mark.parametrize("name", TAKEN)
def test_taken(served: Served, faulty: Faulty, name: str) -> None:
    """One answer, by the provider that the config names and no other."""
    before = faulty.calls["good"]
    with dial(served.gateway, 5.0) as talk:
        talk.sendall(TAKEN[name])
        told = everything(talk)
    assert status_of(told) == 200
    assert faulty.calls["good"] == before + 1


def test_a_body_is_no_request(served: Served, faulty: Faulty) -> None:
    """A request that is hidden in a body is not answered."""
    before = faulty.calls["good"]
    hidden = post(body_of("good"))
    with dial(served.gateway, 5.0) as talk:
        talk.sendall(post(hidden) + HEALTH)
        told = everything(talk)
    assert told.count(b"HTTP/1.1 400") == 1
    assert told.count(b"HTTP/1.1 200") == 1
    assert faulty.calls["good"] == before


def test_nothing_is_said_after_the_last_answer(served: Served) -> None:
    """What follows a request that ends the connection is not answered, and breaks nothing."""
    said = len(served.lines)
    last = HEALTH.replace(b"/health", b"/v1/models")
    for more in (HEALTH, b"GARBAGE\r\n\r\n", _post(LENGTH)):
        with dial(served.gateway, 5.0) as talk:
            talk.sendall(last + more)
            assert len(ANSWER.findall(everything(talk))) == 1
    assert not [line for line in served.lines[said:] if "exception" in line]


def test_refusal_arrives_although_more_is_sent(served: Served) -> None:
    """A client that goes on sending what was refused still reads why."""
    with dial(served.gateway, 5.0) as talk:
        talk.sendall(_post(LENGTH, LENGTH))
        for _ in range(20):
            try:
                talk.sendall(b"x" * 50_000)
            except OSError:
                break
        assert status_of(everything(talk)) == 400


def test_framing_without_end_is_cut(served: Served) -> None:
    """A chunk's extension, or trailers, that never end are refused before they fill memory."""
    before = served.resident_mb
    for start in (b"1;", b"1\r\n{\r\n0\r\nx-a: "):
        with dial(served.gateway, 5.0) as talk:
            talk.sendall(LINE + HOST + CHUNKED + END + start)
            with contextlib.suppress(OSError):
                for _ in range(300):
                    talk.sendall(b"a" * 65_536)
            assert status_of(everything(talk)) in {400, 431}
    assert served.resident_mb < before + 20
