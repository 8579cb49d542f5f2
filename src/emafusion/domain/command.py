"""Commands: what a flow wants done. A driver does it and sends back what came of it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal, TypeVar

from msgspec import Struct

from emafusion.domain.attempt import Attempt
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query

Purpose = Literal["answer", "judge", "label", "fuse"]


class Call(Struct, frozen=True, kw_only=True):
    """Send the query to a candidate; the reply is an `Attempt`.

    `purpose` and `subject` tell recorded calls apart: a judge's call names the judge and, in
    `subject`, whose answer it reads. `live`: let the stream through to the client. `scored`: ask
    for token log-probabilities, which a judge wants to see even where the client does not.
    `timeout_s`: the most that this call may take within the request's time; None for all of it.
    """

    candidate: Candidate
    query: Query
    purpose: Purpose = "answer"
    subject: str = ""
    live: bool = False
    scored: bool = False
    timeout_s: float | None = None


class Race(Struct, frozen=True, kw_only=True):
    """Several calls at once, the n-th started `stagger_s` x n seconds after the first.

    The reply is a tuple of attempts in the order of `calls`, as soon as `need` of them have a
    reply (or all have ended); the others are cancelled and come back as `Cancelled`.
    """

    calls: tuple[Call, ...]
    need: int = 1
    stagger_s: float = 0.0


class Wait(Struct, frozen=True, kw_only=True):
    """Let this many seconds pass; the reply is an empty tuple."""

    seconds: float


Command = Call | Race | Wait
Sent = Attempt | tuple[Attempt, ...]
T = TypeVar("T")
Flow = Generator[Command, Sent, T]


def call(command: Call) -> Flow[Attempt]:
    """Yield one call and return its attempt, typed."""
    reply = yield command
    if not isinstance(reply, Attempt):
        msg = f"a driver must answer a Call with an Attempt, not {type(reply).__name__}"
        raise TypeError(msg)
    return reply


def race(command: Race) -> Flow[tuple[Attempt, ...]]:
    """Yield several calls and return their attempts, typed."""
    reply = yield command
    if not isinstance(reply, tuple):
        msg = f"a driver must answer a Race with attempts, not {type(reply).__name__}"
        raise TypeError(msg)
    return reply
