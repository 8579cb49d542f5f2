"""What the workers of one gateway tell each other, by way of their parent."""

from __future__ import annotations

from emafusion.gateway.workers.control import Line, Telling
from emafusion.store.shared import Event, Hear


class LineShared:
    """A `Shared` over the line to the parent, which passes everything on to all others."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._hear: Hear | None = None

    def listen(self, hear: Hear, /) -> None:
        """Begin to hear; whoever heard before hears no more."""
        self._hear = hear

    def publish(self, event: Event, /) -> None:
        """Tell all others."""
        self._line.send(Telling(event=event))

    def heard(self, event: Event) -> None:
        """Another worker told this."""
        if self._hear is not None:
            self._hear(event)

    async def close(self) -> None:
        """The line is the worker's, and goes on."""
