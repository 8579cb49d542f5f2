"""The async driver: does what flows ask for, against real upstreams, within one deadline.

It drives the same flows as `replay.driver`. A call that fails is a value; what is raised here is
either the client leaving (`CancelledError`) or a bug.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt, Delta
from emafusion.domain.command import Call, Command, Flow, Race, Sent, T
from emafusion.domain.errors import (
    Cancelled,
    ContextTooLong,
    DeadlinePassed,
    Declined,
    Overloaded,
    RateLimited,
    Rejected,
    Unauthorized,
)
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Pricer, Sink, Upstream
from emafusion.upstream.health import Health

REFUSALS = (RateLimited, Overloaded, Unauthorized, Rejected, ContextTooLong, Declined)
"""Failures in which the provider generated nothing, so bills nothing."""


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """The circumstances of one request.

    `deadline_s`: on the event loop's clock, covers all tries and steps. `sink`: where a live
    stream goes, `live` whose stream it is. `waited_s` grows with the time spent waiting for others,
    so that what is left of the request's time is our own. `left`: the client has gone; the flow is
    still brought to its end, so that nothing that was done is lost to the log. `health`: learns
    from every call. `told`: headers that the client gets besides, such as how its limits stand.
    """

    upstreams: Mapping[str, Upstream]
    pricer: Pricer
    deadline_s: float
    health: Health = field(default_factory=Health)
    sink: Sink | None = None
    live: Candidate | None = field(default=None, init=False)
    waited_s: float = field(default=0.0, init=False)
    left: bool = field(default=False, init=False)
    told: tuple[tuple[str, str], ...] = field(default=(), init=False)


async def drive(flow: Flow[T], run: Run) -> T:
    """Run a flow to its end, also where the client leaves (see `Run.left`)."""
    try:
        command = next(flow)
        while True:
            command = flow.send(await _timed(command, run))
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        flow.close()


async def _timed(command: Command, run: Run) -> Sent:
    started = time.perf_counter()
    try:
        return _gone(command) if run.left else await _perform(command, run)
    except asyncio.CancelledError:
        run.left = True
        return _gone(command, latency_s=time.perf_counter() - started)
    finally:
        run.waited_s += time.perf_counter() - started


def _gone(command: Command, latency_s: float = 0.0) -> Sent:
    """What a flow hears when the client has left."""
    if isinstance(command, Call):
        failure = Cancelled("the client left")
        return Attempt(candidate=command.candidate.name, failure=failure, latency_s=latency_s)
    if isinstance(command, Race):
        return tuple(_beaten(call, "the client left") for call in command.calls)
    return ()


async def _perform(command: Command, run: Run) -> Sent:
    match command:
        case Call():
            return await _call(command, run)
        case Race():
            return await _race(command, run)
        case wait:
            left_s = run.deadline_s - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, min(wait.seconds, left_s)))
            return ()


async def _call(call: Call, run: Run) -> Attempt:
    started = time.perf_counter()
    run.health.began(call.candidate.name, time.monotonic())
    upstream = run.upstreams[call.candidate.deployment]
    seen = _Seen(run.sink) if call.live and run.sink is not None else None
    run.live = call.candidate if seen is not None else None
    try:
        async with asyncio.timeout_at(_until_s(call, run)):
            attempt = await upstream.send(call, seen)
    except TimeoutError:
        whose = "request" if call.timeout_s is None else "call"
        attempt = Attempt(
            candidate=call.candidate.name,
            failure=DeadlinePassed(f"the {whose}'s deadline ran out"),
            latency_s=time.perf_counter() - started,
            sent_live=seen is not None and seen.any,
        )
    run.health.note(call.candidate.name, attempt, time.monotonic())
    return priced(attempt, call.candidate, run.pricer)


def _until_s(call: Call, run: Run) -> float:
    """When a call is given up, on the event loop's clock."""
    if call.timeout_s is None:
        return run.deadline_s
    return min(run.deadline_s, asyncio.get_running_loop().time() + call.timeout_s)


class _Seen:
    """A sink that remembers whether anything went through it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.any = False

    async def __call__(self, delta: Delta) -> None:
        self.any = True
        await self._sink(delta)


def priced(attempt: Attempt, candidate: Candidate, pricer: Pricer) -> Attempt:
    """Put the cost on an attempt, from the usage that the provider reported; None if unknown.

    A refused call is free; one that broke off may have been billed, so its cost is unknown.
    """
    if isinstance(attempt.failure, REFUSALS):
        return replace(attempt, cost_usd=0.0)
    if attempt.cost_usd is not None or attempt.reply is None or attempt.reply.usage is None:
        return attempt
    return replace(attempt, cost_usd=pricer(attempt.reply.usage, candidate.model.price))


async def _race(race: Race, run: Run) -> tuple[Attempt, ...]:
    tasks = [
        asyncio.create_task(_later(i * race.stagger_s, call, run))
        for i, call in enumerate(race.calls)
    ]
    try:
        return await _first(tasks, race)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _later(delay_s: float, call: Call, run: Run) -> Attempt:
    await asyncio.sleep(delay_s)
    return await _call(call, run)


async def _first(tasks: list[asyncio.Task[Attempt]], race: Race) -> tuple[Attempt, ...]:
    """Wait until `need` calls have a reply or all have ended; a bug in one is raised here."""
    pending = set(tasks)
    while pending:
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        ended = [task.result() for task in tasks if task.done()]
        if sum(attempt.reply is not None for attempt in ended) >= race.need:
            break
    return tuple(
        task.result() if task.done() else _beaten(call)
        for task, call in zip(tasks, race.calls, strict=True)
    )


def _beaten(call: Call, why: str = "another answer came first") -> Attempt:
    return Attempt(candidate=call.candidate.name, failure=Cancelled(why))
