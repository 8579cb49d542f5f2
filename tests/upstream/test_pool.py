"""Conversations with servers over real sockets: connections kept, faults named, nothing leaked."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.upstream.fake_server import (
    Close,
    FakeServer,
    Hang,
    Pause,
    Reset,
    Say,
    chunk,
    head,
    reply,
    stream,
)

from emafusion.domain.errors import BadInput, Disconnected, Failure, Garbled, TimedOut
from emafusion.upstream.address import Server
from emafusion.upstream.pool import Pool
from emafusion.upstream.request import HttpRequest
from emafusion.upstream.timeouts import Limits, Timeouts

QUICK = Timeouts(
    queue_s=0.2, connect_s=0.5, write_s=0.2, first_byte_s=0.2, between_bytes_s=0.2, total_s=5.0
)
ASK = HttpRequest(target="/v1/chat/completions", body=b'{"q": 1}')


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[Pool]:
    """Make a pool; closing it must leave no connection."""
    made = Pool(limits=Limits(max_connections=4, idle_s=0.3, max_body_bytes=100_000))
    yield made
    await made.close()
    assert made.connections == 0


def to(server: FakeServer) -> Server:
    """Name the server for a pool."""
    return Server(scheme="http", host=server.host, port=server.port)


async def fetch(
    pool: Pool, server: FakeServer, request: HttpRequest = ASK, *, timeouts: Timeouts = QUICK
) -> bytes:
    """Send a request and read the whole body."""
    response = await pool.open(to(server), request, timeouts)
    try:
        return await response.read()
    finally:
        response.close()


async def failure(pool: Pool, server: FakeServer) -> Failure:
    """Send a request that must fail."""
    with pytest.raises(Failure) as caught:
        await fetch(pool, server)
    return caught.value


async def test_one_connection_carries_one_call_after_the_other(
    pool: Pool, server: FakeServer
) -> None:
    """A connection is kept and used again."""
    server.will(reply(b"hello"))
    for _ in range(3):
        assert await fetch(pool, server) == b"hello"
    assert server.accepted == 1
    assert [seen.body for seen in server.seen] == [ASK.body] * 3


async def test_the_request_arrives_as_written(pool: Pool, server: FakeServer) -> None:
    """Method, target, host, headers and length are what a server expects."""
    server.will(reply())
    request = HttpRequest(target="/a?b=c", headers=(("x-one", "two"),), body=b"abc")
    await fetch(pool, server, request)
    seen = server.seen[0]
    assert (seen.method, seen.target, seen.body) == ("POST", "/a?b=c", b"abc")
    assert seen.headers == {
        "host": f"127.0.0.1:{server.port}",
        "x-one": "two",
        "content-length": "3",
    }


async def test_a_get_has_no_body(pool: Pool, server: FakeServer) -> None:
    """A request without a body says no length."""
    server.will(reply())
    await fetch(pool, server, HttpRequest(method="GET", target="/v1/models"))
    assert "content-length" not in server.seen[0].headers


@pytest.mark.parametrize("cut", [0, 1, 7])
async def test_bodies_of_every_framing_are_read(pool: Pool, server: FakeServer, cut: int) -> None:
    """Content length, chunks and until-close give the same body, however the bytes are cut."""
    chunked = head(200, {"transfer-encoding": "chunked"})
    sized = head(200, {"content-length": "9"}) + b"some body"
    server.will(Say(sized, cut))
    server.will(Say(chunked + chunk(b"some ") + chunk(b"body") + chunk(b""), cut))
    server.will(Say(chunked + b"4;x=y\r\nsome\r\n5\r\n body\r\n0\r\ntrailer: yes\r\n\r\n", cut))
    server.will(Say(head(100) + head(103, {"link": "x"}) + sized, cut))
    server.will(Say(head(200) + b"some body", cut), Close())
    assert [await fetch(pool, server) for _ in range(5)] == [b"some body"] * 5
    assert server.accepted == 1


async def test_trailers_do_not_become_headers(pool: Pool, server: FakeServer) -> None:
    """What follows a chunked body is neither its header nor the next response's."""
    chunked = head(200, {"transfer-encoding": "chunked"})
    server.will(Say(chunked + b"1\r\na\r\n0\r\nretry-after: 99\r\n\r\n"))
    server.will(reply())
    for _ in range(2):
        response = await pool.open(to(server), ASK, QUICK)
        await response.read()
        assert "retry-after" not in response.headers
        response.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "bare deflate"])
@pytest.mark.parametrize("cut", [0, 1])
async def test_compressed_bodies_are_understood_although_not_asked_for(
    pool: Pool, server: FakeServer, coding: str, cut: int
) -> None:
    """Some servers compress come what may."""
    text = b"hello " * 100
    bare = zlib.compressobj(wbits=-15)
    bodies = {
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "bare deflate": bare.compress(text) + bare.flush(),
    }
    body = bodies[coding]
    headers = {"content-encoding": coding.removeprefix("bare "), "content-length": str(len(body))}
    server.will(Say(head(200, headers) + body, cut))
    assert await fetch(pool, server) == text


async def test_a_body_that_explodes_is_refused(pool: Pool, server: FakeServer) -> None:
    """A small body that decompresses to a huge one is stopped on the way."""
    body = gzip.compress(b"0" * 10_000_000)
    server.will(reply(body, headers={"content-encoding": "gzip"}))
    assert isinstance(await failure(pool, server), Garbled)


async def test_an_unknown_coding_is_named(pool: Pool, server: FakeServer) -> None:
    """A coding that nobody asked for and we cannot read is a garbled reply."""
    server.will(reply(b"xx", headers={"content-encoding": "br"}))
    assert "'br'" in str(await failure(pool, server))


async def test_more_calls_than_connections_wait_in_line(pool: Pool, server: FakeServer) -> None:
    """No more than the limit is open; who waits is served in turn."""
    server.will(Pause(0.02), *reply(b"x"))
    bodies = await asyncio.gather(*(fetch(pool, server) for _ in range(12)))
    assert bodies == [b"x"] * 12
    assert server.accepted == 4


async def test_waiting_in_line_ends(pool: Pool, server: FakeServer) -> None:
    """A call that gets no connection in time fails as timed out in the queue."""
    for _ in range(4):
        server.will(Pause(0.6), *reply())
    server.will(reply())
    slow = Timeouts(first_byte_s=2.0)
    held = [asyncio.create_task(pool.open(to(server), ASK, slow)) for _ in range(4)]
    await asyncio.sleep(0.05)
    error = await failure(pool, server)
    assert isinstance(error, TimedOut)
    assert "(queue)" in str(error)
    for response in await asyncio.gather(*held):
        await response.read()
        response.close()
    assert await fetch(pool, server) == b"{}"


async def test_leaving_the_line_loses_nobody_a_place(pool: Pool, server: FakeServer) -> None:
    """Calls cancelled while they wait do not keep a connection from the others."""
    server.will(Pause(0.05), *reply(b"x"))
    calls = [asyncio.create_task(fetch(pool, server)) for _ in range(20)]
    await asyncio.sleep(0.03)
    for call in calls[4:12]:
        call.cancel()
    bodies = await asyncio.gather(*calls, return_exceptions=True)
    assert bodies.count(b"x") == 12


@pytest.mark.parametrize("last", [{}, {"connection": "close"}])
async def test_leaving_the_line_just_as_ones_turn_comes(
    server: FakeServer, last: dict[str, str]
) -> None:
    """A connection, or the right to open one, that was given in that moment goes to the next."""
    server.will(reply(headers=last))
    pool = Pool(limits=Limits(max_connections=1))
    first = await pool.open(to(server), ASK, QUICK)
    second, third = (asyncio.create_task(fetch(pool, server)) for _ in range(2))
    await asyncio.sleep(0.02)
    await first.read()
    first.close()
    second.cancel()
    assert await third == b"{}"
    assert second.cancelled()
    await pool.close()


async def test_a_fresh_connection_may_take_an_idle_ones_place(server: FakeServer) -> None:
    """Trying again on a new connection works where all the room is taken by idle ones."""
    server.will(reply())
    pool = Pool(limits=Limits(max_connections=1))
    await fetch(pool, server)
    lane = pool._lanes[to(server)]
    connection = await lane.acquire(QUICK, fresh=True)
    assert not connection.reused
    lane.give_back(connection)
    assert server.accepted == 2
    await pool.close()


async def test_idle_connections_are_closed_after_a_while(pool: Pool, server: FakeServer) -> None:
    """A kept connection does not stay for ever."""
    server.will(reply())
    await fetch(pool, server)
    assert pool.connections == 1
    await asyncio.sleep(0.45)
    assert pool.connections == 0


async def test_a_kept_connection_closed_meanwhile_is_replaced(
    pool: Pool, server: FakeServer
) -> None:
    """The server closes after answering: the next call opens a new connection."""
    server.will(*reply(b"x"), Close())
    for _ in range(3):
        assert await fetch(pool, server) == b"x"
        await asyncio.sleep(0.01)
    assert server.accepted == 3


async def test_a_close_that_crosses_the_request_is_tried_again_once(
    pool: Pool, server: FakeServer
) -> None:
    """The server closes a kept connection just as a request comes: nobody notices."""
    server.will(reply(b"x"))
    server.will(Close())
    server.will(reply(b"y"))
    assert await fetch(pool, server) == b"x"
    assert await fetch(pool, server) == b"y"
    assert server.accepted == 2


async def test_a_new_connection_that_closes_is_not_tried_again(
    pool: Pool, server: FakeServer
) -> None:
    """Asking twice could do the work twice."""
    server.will(Close())
    error = await failure(pool, server)
    assert isinstance(error, Disconnected)
    assert "before any reply" in str(error)
    assert len(server.seen) == 1


async def test_a_kept_connection_that_breaks_within_a_reply_is_not_tried_again(
    pool: Pool, server: FakeServer
) -> None:
    """As soon as a byte of the reply came, the request was worked on."""
    server.will(reply())
    server.will(Say(b"HTTP/1.1 200"), Close())
    await fetch(pool, server)
    error = await failure(pool, server)
    assert "in the middle of the reply" in str(error)
    assert len(server.seen) == 2


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_reply_cut_short_is_a_disconnection(
    pool: Pool, server: FakeServer, end: Close | Reset
) -> None:
    """Neither half a length nor half a chunk passes for a whole body."""
    server.will(Say(head(200, {"content-length": "9"}) + b"some"), Pause(0.02), end)
    assert isinstance(await failure(pool, server), Disconnected)
    server.will(stream("a", end=False), Pause(0.02), end)
    assert isinstance(await failure(pool, server), Disconnected)


async def test_what_came_before_the_break_is_delivered(pool: Pool, server: FakeServer) -> None:
    """A stream that breaks gives its first part, then the failure."""
    server.will(*stream("a", end=False), Pause(0.02), Reset())
    response = await pool.open(to(server), ASK, QUICK)
    assert await response.chunk() == b"data: a\n\n"
    with pytest.raises(Disconnected):
        await response.chunk()
    response.close()


async def test_chunks_come_as_they_are_sent(pool: Pool, server: FakeServer) -> None:
    """Nothing waits for the rest of the body."""
    server.will(stream("a", "b", "c", pause_s=0.05))
    response = await pool.open(to(server), ASK, QUICK)
    loop = asyncio.get_running_loop()
    times = []
    while await response.chunk():
        times.append(loop.time())
    response.close()
    assert len(times) == 3
    assert times[2] - times[0] > 0.08


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        ((Hang(),), "first byte"),
        ((Say(b"HTTP/1.1 200 OK\r\nx: "), Hang()), "first byte"),
        ((Say(head(200, {"content-length": "9"}) + b"some"), Hang()), "between bytes"),
    ],
)
async def test_silence_times_out_and_names_the_phase(
    pool: Pool, server: FakeServer, script: tuple[Say | Hang, ...], phase: str
) -> None:
    """Each phase has its own limit; the server is left at once."""
    server.will(*script)
    error = await failure(pool, server)
    assert isinstance(error, TimedOut)
    assert f"took longer than 0.2 s ({phase})" in str(error)
    await asyncio.sleep(0.1)
    assert len(server.left_at) == 1


async def test_a_slow_drip_ends_with_the_total(pool: Pool, server: FakeServer) -> None:
    """A byte now and then keeps no call alive for ever."""
    server.will(stream(*"abcdefghij", pause_s=0.05))
    timeouts = Timeouts(between_bytes_s=1.0, total_s=0.25)
    response = await pool.open(to(server), ASK, timeouts)
    with pytest.raises(TimedOut, match=r"0\.25 s \(total\)"):
        await response.read()
    response.close()


async def test_a_request_that_nobody_reads_times_out_in_writing(pool: Pool) -> None:
    """A server that accepts and never reads is noticed."""
    stop = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined] # typeshed leaves it out
        await stop.wait()
        writer.transport.abort()

    listening = await asyncio.start_server(deaf, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    big = HttpRequest(target="/", body=b"x" * 50_000_000)
    with pytest.raises(TimedOut, match=r"\(write\)"):
        await pool.open(Server(scheme="http", host="127.0.0.1", port=port), big, QUICK)
    stop.set()
    listening.close()


async def test_a_large_request_arrives_whole(pool: Pool, server: FakeServer) -> None:
    """Bodies larger than any buffer are sent at the server's pace."""
    server.will(reply())
    body = bytes(range(256)) * 40_000
    await fetch(pool, server, HttpRequest(target="/", body=body))
    assert server.seen[0].body == body


async def test_nobody_there_is_a_disconnection(pool: Pool, unused_tcp_port: int) -> None:
    """A refused connection says who refused."""
    nobody = Server(scheme="http", host="127.0.0.1", port=unused_tcp_port)
    with pytest.raises(Disconnected, match=f"127.0.0.1:{unused_tcp_port}"):
        await pool.open(nobody, ASK, QUICK)
    assert pool.connections == 0


async def test_a_host_without_a_name_is_a_disconnection(pool: Pool) -> None:
    """A name that does not resolve is a failure like any other."""
    with pytest.raises((Disconnected, TimedOut)):
        await pool.open(Server(scheme="http", host="no-such-host.invalid", port=80), ASK, QUICK)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 80_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;" + b"x" * 80_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"y" * 80_000,
    ],
)
async def test_garbage_is_garbled(pool: Pool, server: FakeServer, data: bytes) -> None:
    """What is no HTTP/1.1, contradicts itself or has no end is refused, and the connection left."""
    server.will(Say(data), Hang())
    assert isinstance(await failure(pool, server), Garbled)


async def test_a_body_over_the_limit_is_refused(pool: Pool, server: FakeServer) -> None:
    """Memory is bounded whatever is sent."""
    server.will(reply(b"x" * 100_001))
    error = await failure(pool, server)
    assert isinstance(error, Garbled)
    assert "100000 bytes" in str(error)


async def test_bytes_after_the_reply_end_the_connection(pool: Pool, server: FakeServer) -> None:
    """A response that was not asked for never answers the next request."""
    server.will(*reply(b"good"), *reply(b"evil"))
    assert await fetch(pool, server) == b"good"
    server.will(reply(b"good"))
    server._scripts.popleft()
    assert await fetch(pool, server) == b"good"
    assert server.accepted == 2


async def test_bytes_on_an_idle_connection_end_it(pool: Pool, server: FakeServer) -> None:
    """A server that talks unasked is not trusted with another request."""
    server.will(*reply(b"good"), Pause(0.05), *reply(b"evil"))
    assert await fetch(pool, server) == b"good"
    async with asyncio.timeout(5):
        while pool.connections:  # noqa: ASYNC110 - a pool has no event for it
            await asyncio.sleep(0.01)


async def test_connection_close_is_heeded(pool: Pool, server: FakeServer) -> None:
    """A server that announces the end of the connection gets no second request on it."""
    server.will(reply(headers={"connection": "close"}))
    await fetch(pool, server)
    assert pool.connections == 0


async def test_cancelling_leaves_the_server_at_once(pool: Pool, server: FakeServer) -> None:
    """The server sees the client leave well within a second, before and within the body."""
    loop = asyncio.get_running_loop()
    for script in ((Hang(),), (*stream("a", end=False), Hang())):
        server._scripts.clear()
        server.left_at.clear()
        server.seen.clear()
        server.will(*script)
        call = asyncio.create_task(fetch(pool, server))
        await server.asked()
        await asyncio.sleep(0.02)
        call.cancel()
        cancelled_at = loop.time()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await server.client_left() - cancelled_at < 0.5


async def test_a_slow_reader_slows_the_server(server: FakeServer) -> None:
    """When nobody takes the body, it is not read into memory, and no timeout blames the server."""
    pool = Pool(limits=Limits(max_body_bytes=100_000_000))
    size = 30_000_000
    server.will(reply(b"x" * size))
    response = await pool.open(to(server), ASK, QUICK)
    await asyncio.sleep(0.4)
    held = response._incoming.buffered
    assert held < 2_000_000
    assert len(await response.read()) == size
    response.close()
    await pool.close()


async def test_a_closed_pool_refuses(server: FakeServer) -> None:
    """After closing, calls fail instead of hanging, those that wait in line too."""
    pool = Pool(limits=Limits(max_connections=1))
    server.will(Hang())
    calls = [asyncio.create_task(fetch(pool, server)) for _ in range(3)]
    await asyncio.sleep(0.05)
    await pool.close()
    for result in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(result, Disconnected)
    with pytest.raises(Disconnected, match="closed"):
        await fetch(pool, server)


@pytest.mark.parametrize(
    "headers",
    [
        (("x-key", "a\r\nx-evil: b"),),
        (("x-key", "a\nb"),),
        (("x-key", "a\0b"),),
        (("x-key", "snow ☃"),),
        (("x key", "a"),),
        (("x-key:", "a"),),
        (("", "a"),),
    ],
)
async def test_headers_cannot_be_injected(
    pool: Pool, server: FakeServer, headers: tuple[tuple[str, str], ...]
) -> None:
    """A value with a line break never leaves; the error does not show it."""
    with pytest.raises(BadInput) as caught:
        await fetch(pool, server, HttpRequest(target="/", headers=headers))
    assert "evil" not in str(caught.value)
    assert not server.seen


@pytest.mark.parametrize("target", ["", "x", "/a b", "/a\r\nx: y", "/ü"])
async def test_targets_cannot_be_injected(pool: Pool, server: FakeServer, target: str) -> None:
    """A target is one word of visible ASCII."""
    with pytest.raises(BadInput, match="target"):
        await fetch(pool, server, HttpRequest(target=target))


async def test_two_hundred_streams_at_once(server: FakeServer) -> None:
    """Many streams run side by side, each whole and in order."""
    pool = Pool()
    words = [str(n) for n in range(20)]
    server.will(stream(*words, pause_s=0.01))
    calls = (fetch(pool, server, timeouts=Timeouts()) for _ in range(200))
    bodies = await asyncio.gather(*calls)
    expected = "".join(f"data: {word}\n\n" for word in words).encode()
    assert set(bodies) == {expected}
    await pool.close()
    assert pool.connections == 0
    assert asyncio.all_tasks() - server._tasks == {asyncio.current_task()}
