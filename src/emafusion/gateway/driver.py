"""The async driver: does what flows ask for, against real upstreams, within one deadline.

It drives the same flows as `replay.driver`. A call that fails is a value; what is raised here is
either the client leaving (`CancelledError`) or a bug.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

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
from emafusion.gateway.aside import Aside
from emafusion.gateway.racing import Racing
from emafusion.upstream.budget import RetryBudget
from emafusion.upstream.fleet import left_alone
from emafusion.upstream.health import Health

REFUSALS = (RateLimited, Overloaded, Unauthorized, Rejected, ContextTooLong, Declined)
"""Failures in which the provider generated nothing, so bills nothing."""

SPREAD = 0.25
"""By how much, at most, a wait is drawn out: those who failed together must not come together."""


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """The circumstances of one request.

    `deadline_s`: on the event loop's clock, covers all tries and steps. `sink`: where a live
    stream goes, `live` whose stream it is. `waited_s` grows with the time spent waiting for others,
    so that what is left of the request's time is our own. `left`: the client has gone; the flow is
    still brought to its end, so that nothing that was done is lost to the log. `health`: learns
    from every call. `told`: headers that the client gets besides, such as how its limits stand.
    `budget`: of retries and hedges. `aside`: where the flow's own steps are done, None for here.
    """

    upstreams: Mapping[str, Upstream]
    pricer: Pricer
    deadline_s: float
    health: Health = field(default_factory=Health)
    budget: RetryBudget = field(default_factory=RetryBudget)
    sink: Sink | None = None
    aside: Aside | None = None
    live: Candidate | None = field(default=None, init=False)
    waited_s: float = field(default=0.0, init=False)
    left: bool = field(default=False, init=False)
    told: tuple[tuple[str, str], ...] = field(default=(), init=False)


async def drive(flow: Flow[T], run: Run) -> T:
    """Run a flow to its end, also where the client leaves (see `Run.left`)."""
    try:
        if run.aside is not None:
            return await _drive_aside(flow, run, run.aside)
        command = next(flow)
        while True:
            command = flow.send(await _timed(command, run))
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        flow.close()


async def _drive_aside(flow: Flow[T], run: Run, aside: Aside) -> T:
    """The same for a flow whose steps take long."""
    step = _Step(flow)
    while True:
        command, left = await aside.do(step)
        run.left = run.left or left
        if command is None:
            return step.value()
        step.sent = await _timed(command, run)


class _Step(Generic[T]):
    """The next step of a flow, to be done in a thread: gives a command, None at the end."""

    def __init__(self, flow: Flow[T]) -> None:
        self.sent: Sent | None = None
        self._flow = flow
        self._ended: list[T] = []

    def __call__(self) -> Command | None:
        try:
            return next(self._flow) if self.sent is None else self._flow.send(self.sent)
        except StopIteration as stop:
            self._ended.append(stop.value)
            return None

    def value(self) -> T:
        """What the flow returned."""
        return self._ended[0]


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
        failure = Cancelled("the client left")
        return tuple(
            Attempt(candidate=call.candidate.name, failure=failure) for call in command.calls
        )
    return ()


async def _perform(command: Command, run: Run) -> Sent:
    match command:
        case Call():
            return await _call(command, run, run.sink if command.live else None)
        case Race():
            return await _race(command, run)
        case wait:
            left_s = run.deadline_s - asyncio.get_running_loop().time()
            wait_s = wait.seconds * random.uniform(1.0, 1.0 + SPREAD)
            await asyncio.sleep(max(0.0, min(wait_s, left_s)))
            return ()


async def _call(call: Call, run: Run, sink: Sink | None) -> Attempt:
    started, now = time.perf_counter(), time.monotonic()
    name, health = call.candidate.name, run.health
    pause_s = health.pause_s(name, now)
    if pause_s > 0.0:
        return left_alone(call, pause_s)
    health.began(name, now)
    seen = _Seen(sink, call.candidate, run) if sink is not None else None
    run.live = call.candidate if seen is not None else None
    try:
        async with asyncio.timeout_at(_until_s(call, run)):
            attempt = await run.upstreams[call.candidate.deployment].send(call, seen)
    except TimeoutError:
        whose = "request" if call.timeout_s is None else "call"
        attempt = Attempt(
            candidate=name,
            failure=DeadlinePassed(f"the {whose}'s deadline ran out"),
            latency_s=time.perf_counter() - started,
            sent_live=seen is not None and seen.any,
        )
    health.note(name, attempt, time.monotonic())
    if attempt.reply is not None:
        run.budget.answered()
    return priced(attempt, call.candidate, run.pricer)


def _until_s(call: Call, run: Run) -> float:
    """When a call is given up, on the event loop's clock."""
    if call.timeout_s is None:
        return run.deadline_s
    return min(run.deadline_s, asyncio.get_running_loop().time() + call.timeout_s)


class _Seen:
    """A sink that remembers whether anything went through it, and whose stream it is."""

    def __init__(self, sink: Sink, candidate: Candidate, run: Run) -> None:
        self._sink = sink
        self._candidate = candidate
        self._run = run
        self.any = False

    async def __call__(self, delta: Delta) -> None:
        if not self.any:
            self.any = True
            self._run.live = self._candidate
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
    return await Racing(
        race,
        lambda call, sink: _call(call, run, sink),
        sink=run.sink,
        may_start=run.budget.take,
    ).run()
