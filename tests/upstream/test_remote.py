"""Calls to a provider over real sockets: replies, streams, and every trouble as a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest
import pytest_asyncio
from tests.upstream.fake_server import (
    Act,
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
from typing_extensions import override

from emafusion.domain.attempt import Attempt, Delta
from emafusion.domain.command import Call
from emafusion.domain.errors import (
    BadInput,
    ContextTooLong,
    Disconnected,
    Failure,
    Garbled,
    Overloaded,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorized,
)
from emafusion.domain.query import ask
from emafusion.testing import candidate, check_upstream
from emafusion.upstream.pool import Pool
from emafusion.upstream.remote import Account, RemoteUpstream
from emafusion.upstream.timeouts import Limits, Timeouts
from emafusion.wire.dialect import WireRequest
from emafusion.wire.openai import OpenAIDialect

KEY = "sk-made-up-0123456789"
QUICK = Timeouts(connect_s=0.3, first_byte_s=0.3, between_bytes_s=0.3)
CALL = Call(candidate=replace(candidate("small"), remote_name="their-small"), query=ask("Hi"))


def completion(text: str = "Hello there") -> bytes:
    """Write a reply as OpenAI does."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return msgspec.json.encode({"model": "their-small-1", "choices": [choice], "usage": usage})


def piece(text: str = "", *, finish: str | None = None, index: int = 0) -> str:
    """Write a chunk as OpenAI does."""
    delta = {"content": text} if text else {}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return msgspec.json.encode({"model": "their-small-1", "choices": [choice]}).decode()


USAGE = '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}'
WHOLE = (piece("Hello"), piece(" there"), piece(finish="stop"), USAGE, "[DONE]")


def error(message: str, **more: str) -> bytes:
    """Write an error as OpenAI does."""
    return msgspec.json.encode({"error": {"message": message, **more}})


@pytest_asyncio.fixture
async def upstream(server: FakeServer) -> AsyncIterator[RemoteUpstream]:
    """Point an upstream at the server."""
    made = to(server)
    yield made
    await made.close()


def to(server: FakeServer, **account: str) -> RemoteUpstream:
    """Make an upstream for the server."""
    where = {"base_url": f"{server.url}/v1", "api_key": KEY} | account
    return RemoteUpstream(
        OpenAIDialect(),
        Account(**where),  # type: ignore[arg-type] # only its texts are given
        pool=Pool(limits=Limits(max_body_bytes=100_000)),
        timeouts=QUICK,
    )


class Listener:
    """A sink that remembers what came and when."""

    def __init__(self) -> None:
        self.deltas: list[Delta] = []
        self.times: list[float] = []

    async def __call__(self, delta: Delta) -> None:
        """Take one delta."""
        self.deltas.append(delta)
        self.times.append(asyncio.get_running_loop().time())

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(delta.text for delta in self.deltas)


def failure_in(attempt: Attempt) -> Failure:
    """Give the failure of an attempt that must have failed."""
    assert attempt.failure is not None
    return attempt.failure


async def test_a_call_is_answered(server: FakeServer, upstream: RemoteUpstream) -> None:
    """Reply, usage and time come back; the price is for somebody else to know."""
    server.will(Pause(0.02), *reply(completion()))
    attempt = await upstream.send(CALL)
    assert attempt.reply is not None
    assert (attempt.reply.text, attempt.reply.model) == ("Hello there", "their-small-1")
    assert attempt.reply.usage is not None
    assert attempt.reply.usage.prompt_tokens == 5
    assert attempt.candidate == "small"
    assert attempt.cost_usd is None
    assert attempt.ttft_s is None
    assert not attempt.sent_live
    assert 0.015 <= attempt.latency_s < 1.0  # a timer may fire a little early


async def test_the_request_is_the_providers(server: FakeServer, upstream: RemoteUpstream) -> None:
    """Path, key, model name and body are what the provider expects; no compression is asked for."""
    server.will(reply(completion()))
    await upstream.send(CALL)
    seen = server.seen[0]
    assert (seen.method, seen.target) == ("POST", "/v1/chat/completions")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept-encoding"] == "identity"
    body = msgspec.json.decode(seen.body)
    assert body["model"] == "their-small"
    assert not body.get("stream")


async def test_headers_of_the_account_win(server: FakeServer) -> None:
    """What the config says of headers replaces the dialect's, whatever the case of letters."""
    server.will(reply(completion()))
    account = Account(
        base_url=server.url, api_key=KEY, headers=(("Authorization", "Basic x"), ("x-team", "a"))
    )
    upstream = RemoteUpstream(OpenAIDialect(), account, pool=Pool())
    await upstream.send(CALL)
    await upstream.close()
    assert server.seen[0].headers["authorization"] == "Basic x"
    assert server.seen[0].headers["x-team"] == "a"
    assert server.seen[0].target == "/v1/chat/completions"


async def test_a_stream_is_passed_on_as_it_comes(
    server: FakeServer, upstream: RemoteUpstream
) -> None:
    """Each delta is there before the next is sent; the attempt holds the whole."""
    server.will(stream(*WHOLE, pause_s=0.03))
    listener = Listener()
    attempt = await upstream.send(CALL, listener)
    assert attempt.reply is not None
    assert listener.text == attempt.reply.text == "Hello there"
    assert attempt.reply.usage is not None
    assert attempt.sent_live
    assert listener.times[1] - listener.times[0] > 0.015
    assert attempt.ttft_s is not None
    assert 0.02 < attempt.ttft_s < attempt.latency_s
    assert msgspec.json.decode(server.seen[0].body)["stream"] is True


async def test_streams_share_a_connection(server: FakeServer, upstream: RemoteUpstream) -> None:
    """The end marker ends the call at once, yet the connection is kept for the next."""
    late_end: tuple[Act, ...] = (*stream(*WHOLE, end=False), Pause(0.05), Say(chunk(b"")))
    server.will(*late_end)
    for _ in range(3):
        assert (await upstream.send(CALL, Listener())).latency_s < 0.05
        await asyncio.sleep(0.1)
    assert server.accepted == 1


async def test_a_stream_that_never_ends_its_body_is_let_go(
    server: FakeServer, upstream: RemoteUpstream
) -> None:
    """After the end marker nobody waits; the connection is dropped a second later."""
    server.will(*stream(*WHOLE, end=False), Hang())
    attempt = await upstream.send(CALL, Listener())
    assert attempt.reply is not None
    await server.client_left(within_s=2.0)


async def test_calls_streamed_and_not_agree(server: FakeServer, upstream: RemoteUpstream) -> None:
    """The contract of every upstream holds, answered or refused."""
    server.will(reply(completion()))
    server.will(stream(*WHOLE))
    server.will(reply(error("no"), status=400))
    await check_upstream(upstream, CALL)
    await check_upstream(upstream, CALL)


async def test_a_server_that_does_not_stream_is_understood(
    server: FakeServer, upstream: RemoteUpstream
) -> None:
    """A whole reply where a stream was asked for is passed on as one."""
    server.will(reply(completion()))
    listener = Listener()
    attempt = await upstream.send(CALL, listener)
    assert attempt.reply is not None
    assert listener.text == attempt.reply.text == "Hello there"
    assert attempt.sent_live


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (reply(error("slow"), status=429, headers={"retry-after": "2"}), RateLimited),
        (reply(error("busy"), status=503), Overloaded),
        (reply(b"<html>Bad gateway</html>", status=502), Overloaded),
        (reply(error("wrong key"), status=401), Unauthorized),
        (reply(error("no such model"), status=404), Rejected),
        (reply(error("too long", code="context_length_exceeded"), status=400), ContextTooLong),
        (reply(b"", status=307, headers={"location": "http://evil.example/"}), Garbled),
        (reply(b"hello"), Garbled),
        (reply(b"{}"), Garbled),
        (reply(b"", status=204), Garbled),
        ((Say(b"SSH-2.0\r\n"), Hang()), Garbled),
        ((Close(),), Disconnected),
        ((Reset(),), Disconnected),
        ((Hang(),), TimedOut),
        ((Say(head(200, {"content-length": "99"}) + b"{"), Close()), Disconnected),
        ((Say(head(200, {"content-length": "99"}) + b"{"), Hang()), TimedOut),
        (reply(b"x" * 200_000), Garbled),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_trouble_is_a_failure_of_its_kind(
    server: FakeServer,
    upstream: RemoteUpstream,
    script: Script,
    kind: type[Failure],
    streamed: bool,  # noqa: FBT001 # drawn
) -> None:
    """Nothing is raised; the class says whether it may pass, the message is one line."""
    server.will(*script)
    listener = Listener()
    attempt = await upstream.send(CALL, listener if streamed else None)
    failure = failure_in(attempt)
    assert type(failure) is kind
    assert "\n" not in str(failure)
    assert "evil" not in str(failure)
    assert not attempt.sent_live
    assert attempt.latency_s > 0
    assert len(server.seen) == 1


async def test_a_refusal_says_how_long_to_wait(
    server: FakeServer, upstream: RemoteUpstream
) -> None:
    """`retry-after` and the status are kept."""
    server.will(reply(error("slow"), status=429, headers={"retry-after": "2"}))
    failure = failure_in(await upstream.send(CALL))
    assert (failure.retry_after_s, failure.upstream_status) == (2.0, 429)


async def test_a_refusal_that_breaks_off_keeps_its_status(
    server: FakeServer, upstream: RemoteUpstream
) -> None:
    """A body that does not come does not hide what the status says."""
    server.will(Say(head(429, {"content-length": "9"})), Close())
    assert isinstance(failure_in(await upstream.send(CALL)), RateLimited)


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        ((Close(),), Disconnected),
        ((Reset(),), Disconnected),
        ((Say(chunk(b"")),), Disconnected),
        ((Hang(),), TimedOut),
        ((Say(chunk(b'data: {"error":{"message":"busy","code":503}}\n\n')), Hang()), Overloaded),
        ((Say(chunk(b"data: {no json\n\n")), Hang()), Garbled),
        ((Say(b"zz\r\n"), Hang()), Garbled),
    ],
)
async def test_a_stream_that_breaks_has_been_seen(
    server: FakeServer, upstream: RemoteUpstream, tail: tuple[Act, ...], kind: type[Failure]
) -> None:
    """What came was passed on, and the attempt says so: it cannot be taken back."""
    server.will(*stream(piece("Hel"), end=False), Pause(0.02), *tail)
    listener = Listener()
    attempt = await upstream.send(CALL, listener)
    assert type(attempt.failure) is kind
    assert listener.text == "Hel"
    assert attempt.sent_live
    assert attempt.ttft_s is not None


async def test_a_finish_reason_is_enough_of_an_end(
    server: FakeServer, upstream: RemoteUpstream
) -> None:
    """A server that sends no end marker and closes has lost nothing."""
    kind = {"content-type": "text/event-stream"}
    events = "".join(f"data: {event}\n\n" for event in WHOLE[:3])
    server.will(Say(head(200, kind) + events.encode()), Close())
    attempt = await upstream.send(CALL, Listener())
    assert attempt.reply is not None
    assert attempt.reply.text == "Hello there"


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 50])
async def test_a_stream_cut_anywhere_is_the_same(
    server: FakeServer, upstream: RemoteUpstream, cut: int
) -> None:
    """Pieces of any size, within characters and line ends too, give the same answer."""
    text = "naïve 🙂 " * 3
    events = (piece(text), piece(text), piece(finish="stop"), "[DONE]")
    data = b"".join(act.data for act in stream(*events) if isinstance(act, Say))
    server.will(Say(data, cut))
    listener = Listener()
    attempt = await upstream.send(CALL, listener)
    assert attempt.reply is not None
    assert listener.text == attempt.reply.text == text * 2


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cancelled_call_leaves_the_provider_at_once(
    server: FakeServer,
    upstream: RemoteUpstream,
    streamed: bool,  # noqa: FBT001 # drawn
) -> None:
    """The provider sees it within a second, so it can stop generating."""
    server.will(*(stream(piece("Hel"), end=False) if streamed else ()), Hang())
    call = asyncio.create_task(upstream.send(CALL, Listener() if streamed else None))
    await server.asked()
    await asyncio.sleep(0.02)
    call.cancel()
    cancelled_at = asyncio.get_running_loop().time()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await server.client_left() - cancelled_at < 0.5


async def test_a_slow_client_slows_the_provider(server: FakeServer) -> None:
    """The sink is awaited; while it is slow, the rest of the stream stays where it is."""
    big = "x" * 50_000
    server.will(stream(*[piece(big)] * 400, piece(finish="stop"), "[DONE]"))
    upstream = RemoteUpstream(OpenAIDialect(), Account(base_url=server.url), pool=Pool())
    gate = asyncio.Event()
    counted = 0

    async def slow(delta: Delta) -> None:
        nonlocal counted
        counted += len(delta.text)
        await gate.wait()

    call = asyncio.create_task(upstream.send(CALL, slow))
    await asyncio.sleep(0.3)
    assert counted == 50_000
    assert server.open == 1
    gate.set()
    attempt = await call
    assert attempt.reply is not None
    assert counted == len(attempt.reply.text) == 20_000_000
    await upstream.close()


async def test_a_bug_in_the_sink_is_raised_and_leaks_nothing(
    server: FakeServer, upstream: RemoteUpstream
) -> None:
    """A bug is no failure of the provider; the connection is closed all the same."""
    server.will(*stream(piece("Hel"), end=False), Hang())

    async def broken(delta: Delta) -> None:
        raise ZeroDivisionError(delta.text)

    with pytest.raises(ZeroDivisionError):
        await upstream.send(CALL, broken)
    await server.client_left()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_key_that_comes_back_is_not_shown(
    server: FakeServer,
    streamed: bool,  # noqa: FBT001 # drawn
) -> None:
    """A provider that repeats our key in its error does not bring it into the log."""
    key = "correct horse"
    upstream = to(server, api_key=key)
    server.will(reply(error(f"the key {key} is wrong"), status=401))
    failure = failure_in(await upstream.send(CALL, Listener() if streamed else None))
    await upstream.close()
    assert key not in str(failure)
    assert "***" in str(failure)
    assert failure.upstream_status == 401
    for shown in (repr(upstream), repr(Account(api_key=key)), repr(failure)):
        assert key not in shown


async def test_closing_ends_what_is_open(server: FakeServer, upstream: RemoteUpstream) -> None:
    """A call under way when the upstream is closed ends as disconnected."""
    server.will(Hang())
    call = asyncio.create_task(upstream.send(CALL))
    await server.asked()
    await upstream.close()
    assert isinstance(failure_in(await call), Disconnected)
    assert isinstance(failure_in(await upstream.send(CALL)), Disconnected)


async def test_a_model_name_that_would_break_the_request_is_rejected(server: FakeServer) -> None:
    """A path that cannot be sent is a failed call, not a crash."""

    class Odd(OpenAIDialect):
        """Puts the model's name into the path."""

        @override
        def request(self, call: Call, /, *, stream: bool) -> WireRequest:
            """Write the call."""
            return replace(super().request(call, stream=stream), path="/a b\r\nx: y")

    upstream = RemoteUpstream(Odd(), Account(base_url=server.url), pool=Pool())
    assert isinstance(failure_in(await upstream.send(CALL)), Rejected)
    assert not server.seen


@pytest.mark.parametrize("bad", [{"api_key": "a\nb"}, {"base_url": "localhost:80"}])
def test_an_account_that_cannot_work_is_refused_at_once(bad: dict[str, str]) -> None:
    """A key of two lines or an address without a scheme is the config's mistake."""
    with pytest.raises(BadInput) as caught:
        RemoteUpstream(OpenAIDialect(), Account(**bad), pool=None)  # type: ignore[arg-type] # fails before
    assert "a\nb" not in str(caught.value)


def test_a_line_end_after_a_key_is_forgiven() -> None:
    """Keys read from files end with one."""
    RemoteUpstream(OpenAIDialect(), Account(api_key=f"{KEY}\n"), pool=None)  # type: ignore[arg-type] # not used


async def test_two_hundred_streams_side_by_side(server: FakeServer) -> None:
    """All are answered in order, no task and no connection is left over."""
    words = [piece(f"{n} ") for n in range(20)]
    server.will(stream(*words, piece(finish="stop"), "[DONE]", pause_s=0.01))
    pool = Pool()
    account = Account(base_url=server.url)
    upstream = RemoteUpstream(OpenAIDialect(), account, pool=pool)
    attempts = await asyncio.gather(*(upstream.send(CALL, Listener()) for _ in range(200)))
    texts = {attempt.reply.text if attempt.reply else "" for attempt in attempts}
    assert texts == {"".join(f"{n} " for n in range(20))}
    await upstream.close()
    assert pool.connections == 0
    assert asyncio.all_tasks() - server._tasks == {asyncio.current_task()}
