"""What an embedding model says of a prompt, asked before the query is answered.

Decisions stay free of input and output: the vector comes in with the query. Where there is none in
time, the query is read by its words alone, and the log says so.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from emafusion.domain.errors import BadInput, Failure
from emafusion.domain.query import Embedding, Query

DEADLINE_S = 0.5
"""Longest that a query waits for its vector."""

MOST_KEPT = 4_096


class Reader(Protocol):
    """Texts -> vectors; implemented over HTTP and over a model on this machine."""

    async def vectors(self, texts: Sequence[str], /) -> tuple[Embedding, ...]:
        """One vector a text. Raises a `Failure`, or `BadInput`."""
        ...

    async def close(self) -> None:
        """Give up what it holds."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Meaning:
    """Gives queries their vectors.

    `name`: of the encoder, as the artifact that needs it names it; `text_of`: what of a prompt is
    read, as it was when the artifact was fitted. `missed`: queries that went
    without, since the start.
    """

    name: str
    reader: Reader
    text_of: Callable[[str], str]
    deadline_s: float = DEADLINE_S
    missed: int = 0
    _kept: OrderedDict[str, Embedding] = field(default_factory=OrderedDict[str, Embedding])

    async def given(self, query: Query) -> Query:
        """The query with its vector, as it came where there is none in time."""
        text = self.text_of(query.prompt)
        if not text or query.embedding is not None:
            return query
        found = self._kept.get(text)
        if found is None:
            found = await self._asked(text)
        else:
            self._kept.move_to_end(text)
        return query if found is None else replace(query, embedding=found)

    async def _asked(self, text: str) -> Embedding | None:
        try:
            async with asyncio.timeout(self.deadline_s):
                (found,) = await self.reader.vectors((text,))
        except (BadInput, Failure, TimeoutError):
            self.missed += 1
            return None
        self._kept[text] = found
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found
