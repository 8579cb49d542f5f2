"""A test as a script of commands and replies.

    with Script(route(task, parts)) as script:
        script << calls("small") >> failed(RateLimited("slow down"))
        script << waits() << calls("small") >> said("7")
    assert script.value.reply.text == "7"

`<<` is a command that the flow must yield next, `>>` what came of it. A script that ends before
the flow does, or a flow that ends before the script, fails.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Command, Flow, Race, Sent, T, Wait

Expected = Callable[[Command], str | None]
"""Looks at a command; returns what is wrong with it, None if it is as expected."""


class Script(Generic[T]):
    """A conversation with a flow, step by step.

    >>> def nap() -> Flow[str]:
    ...     yield Wait(seconds=1.0)
    ...     return "rested"
    >>> with Script(nap()) as script:
    ...     _ = script << waits(1.0)
    >>> script.value
    'rested'
    """

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self._command: Command | None = None
        self._waited = False
        self._value: list[T] = []
        self._advance(None)

    def __lshift__(self, expected: Expected) -> Self:
        """The flow must be asking for this now. A wait passes by itself."""
        if isinstance(self._command, Wait) and self._waited:
            self._advance(())
        if self._command is None:
            raise AssertionError("the flow has ended, the script has not")
        wrong = expected(self._command)
        if wrong is not None:
            raise AssertionError(wrong)
        self._waited = isinstance(self._command, Wait)
        return self

    def __rshift__(self, sent: Sent) -> Self:
        """What came of the command."""
        if isinstance(self._command, Call) and isinstance(sent, Attempt) and not sent.candidate:
            sent = replace(sent, candidate=self._command.candidate.name)
        self._advance(sent)
        return self

    @property
    def value(self) -> T:
        """What the flow returned."""
        if not self._value:
            raise AssertionError("the flow has not ended")
        return self._value[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Fail where the flow still wants something."""
        if kind is not None:
            return
        if isinstance(self._command, Wait) and self._waited:
            self._advance(())
        if self._command is not None:
            raise AssertionError(f"the script has ended, the flow asks for {_told(self._command)}")

    def _advance(self, sent: Sent | None) -> None:
        self._waited = False
        try:
            self._command = next(self._flow) if sent is None else self._flow.send(sent)
        except StopIteration as stop:
            self._command = None
            self._value.append(stop.value)


def calls(name: str, *, live: bool | None = None, purpose: str | None = None) -> Expected:
    """A call of this candidate."""

    def look(command: Command) -> str | None:
        if not isinstance(command, Call) or command.candidate.name != name:
            return f"expected a call of {name}, got {_told(command)}"
        if live is not None and command.live != live:
            return f"expected live={live} of {_told(command)}"
        if purpose is not None and command.purpose != purpose:
            return f"expected a call to {purpose}, got {_told(command)}"
        return None

    return look


def waits(seconds: float | None = None) -> Expected:
    """A wait, of this many seconds if given."""

    def look(command: Command) -> str | None:
        if not isinstance(command, Wait) or seconds not in {None, command.seconds}:
            return f"expected a wait of {seconds} s, got {_told(command)}"
        return None

    return look


def races(*names: str) -> Expected:
    """Calls of these candidates at once."""

    def look(command: Command) -> str | None:
        racing = tuple(c.candidate.name for c in command.calls) if isinstance(command, Race) else ()
        return None if racing == names else f"expected a race of {names}, got {_told(command)}"

    return look


def _told(command: Command) -> str:
    match command:
        case Call():
            return f"a call of {command.candidate.name} to {command.purpose}, live={command.live}"
        case Race():
            return f"a race of {[call.candidate.name for call in command.calls]}"
        case Wait():
            return f"a wait of {command.seconds} s"
