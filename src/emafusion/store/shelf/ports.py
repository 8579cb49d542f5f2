"""What a shelf must do, whatever it is made of. What one owner put there no other can see.

Every method may raise `StoreError`. What has returned survives the death of the process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from emafusion.store.answers.ports import Answers
from emafusion.store.shelf.kept import (
    Batch,
    Counts,
    KeptFile,
    KeptResponse,
    Line,
    LineAnswer,
    Page,
)


class ResponseShelf(Protocol):
    """Keeps responses."""

    async def put(self, response: KeptResponse, /) -> None:
        """Keep it."""
        ...

    async def get(self, key: str, /, *, owner: str) -> KeptResponse | None:
        """The response of that id; None if it is not there, or another's."""
        ...

    async def chain(self, key: str, /, *, owner: str) -> tuple[KeptResponse, ...]:
        """That response and those it goes on from, oldest first; empty if it is not there.

        Where the oldest still has a `previous`, that one is gone.
        """
        ...

    async def drop(self, key: str, /, *, owner: str) -> bool:
        """Forget it; whether it was there."""
        ...


class FileShelf(Protocol):
    """Keeps files."""

    async def put(self, file: KeptFile, data: bytes, /) -> bool:
        """Keep it; False where there is no room for it."""
        ...

    async def get(self, key: str, /, *, owner: str) -> KeptFile | None:
        """The file of that id, without its content."""
        ...

    async def page_of(self, page: Page, /, *, owner: str, purpose: str | None) -> list[KeptFile]:
        """A part of the list; raises `KeyError` where `page.after` is not in it."""
        ...

    def content(self, file: KeptFile, /) -> AsyncIterator[bytes]:
        """The content, in pieces."""
        ...

    async def drop(self, key: str, /, *, owner: str) -> bool:
        """Forget it with its content; whether it was there."""
        ...


class BatchShelf(Protocol):
    """Keeps batches and works as their queue."""

    async def put(self, batch: Batch, /, *, most: int) -> bool:
        """Keep a new batch, unless its owner has `most` under way; whether it was kept."""
        ...

    async def get(self, key: str, /, *, owner: str | None) -> Batch | None:
        """The batch of that id; with `owner` None whoever's."""
        ...

    async def page_of(self, page: Page, /, *, owner: str) -> list[Batch]:
        """A part of the list; raises `KeyError` where `page.after` is not in it."""
        ...

    async def counts(self, key: str, /) -> Counts:
        """How far it has come."""
        ...

    async def claim(self, worker: str, /, *, lasts_s: float) -> Batch | None:
        """Take the oldest batch under way that nobody works on; it is `worker`'s for so long.

        Time is the shelf's own: those who share it may have clocks that differ.
        """
        ...

    async def hold(self, key: str, worker: str, /, *, lasts_s: float) -> bool:
        """Keep a claimed batch for so long from now; False where another has it by now."""
        ...

    async def workers(self) -> list[str]:
        """Who has claimed something."""
        ...

    async def free(self, worker: str, /) -> None:
        """Let others have what a worker that has died had claimed."""
        ...

    async def fill(self, key: str, lines: Sequence[Line], /) -> None:
        """Put lines into a batch that is validating; those of the same number are replaced."""
        ...

    async def open_lines(self, key: str, /, *, after: int, limit: int) -> list[Line]:
        """Lines that have no answer yet, by number."""
        ...

    async def answer(self, key: str, answers: Sequence[LineAnswer], /) -> None:
        """Keep what came of some lines; of one that was answered before, the first stays."""
        ...

    async def move(self, batch: Batch, /, *, old: frozenset[str]) -> bool:
        """Replace a batch by a later state of it, if it is in one of the `old` states still.

        The files of its output come to be where it has ended. Whether it was replaced.
        """
        ...


class Shelf(Protocol):
    """All of it, and what keeps them small."""

    @property
    def responses(self) -> ResponseShelf:
        """Responses."""
        ...

    @property
    def files(self) -> FileShelf:
        """Files."""
        ...

    @property
    def batches(self) -> BatchShelf:
        """Batches."""
        ...

    @property
    def answers(self) -> Answers:
        """Answers that all who share it may give again."""
        ...

    async def tidy(self, now: float, /) -> int:
        """Forget what is past its time or too much; how many."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...
