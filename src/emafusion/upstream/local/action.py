"""What an action is: one way to answer, under a model name of the child."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal, Protocol, TypeAlias

from .generation import Event, Job

Kind: TypeAlias = Literal["language model", "program"]


class Action(Protocol):
    """One way to answer."""

    @property
    def name(self) -> str:
        """The model name under which clients ask for it."""
        ...

    @property
    def kind(self) -> Kind:
        """What it is, for people to read."""
        ...

    @property
    def description(self) -> str:
        """One line for people to read."""
        ...

    def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Answer; `Done` or `Failed` comes last. Closing the iterator early stops the work."""
        ...
