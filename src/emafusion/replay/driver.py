"""The sync driver: runs a flow over recorded answers, with a clock of its own.

It drives the very flows that are served; the async driver for upstreams is `gateway.driver`.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Command, Flow, Race, Sent, T
from emafusion.domain.errors import Cancelled

Recorded = Callable[[Call], Attempt]
"""Gives what was recorded for a call; a call that was never recorded is a `Failure` value."""


def run(flow: Flow[T], recorded: Recorded) -> T:
    """Run a flow to its end over recorded answers.

    >>> from emafusion.domain.command import Wait
    >>> def nap() -> Flow[str]:
    ...     yield Wait(seconds=60.0)
    ...     return "rested, at once"
    >>> run(nap(), recorded=lambda call: Attempt(candidate="a", failure=Cancelled("never")))
    'rested, at once'
    """
    try:
        command = next(flow)
        while True:
            command = flow.send(_perform(command, recorded))
    except StopIteration as stop:
        value: T = stop.value
        return value


def _perform(command: Command, recorded: Recorded) -> Sent:
    match command:
        case Call():
            return recorded(command)
        case Race():
            return _race(command, recorded)
        case _:
            return ()


def _race(command: Race, recorded: Recorded) -> tuple[Attempt, ...]:
    """All calls ran when they were recorded: those that would have ended too late are cancelled.

    A cancelled call keeps its full cost, the most that the provider may bill.
    """
    attempts = [recorded(call) for call in command.calls]
    ends_s = [i * command.stagger_s + a.latency_s for i, a in enumerate(attempts)]
    answered = sorted(ends_s[i] for i, a in enumerate(attempts) if a.reply is not None)
    until_s = answered[command.need - 1] if len(answered) >= command.need else float("inf")
    return tuple(
        attempt if ends_s[i] <= until_s else _cancelled(attempt)
        for i, attempt in enumerate(attempts)
    )


def _cancelled(attempt: Attempt) -> Attempt:
    return replace(attempt, reply=None, failure=Cancelled("another answer came first"))
