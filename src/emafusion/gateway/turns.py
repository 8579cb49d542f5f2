"""Tool loops stay with the model that began them.

A turn that answers a tool call goes to the candidate that made the call: another one would get
ids, signatures and half-done work that are not its own.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Answer
from emafusion.domain.query import Query

REMEMBERED = 10_000
"""Tool calls remembered at most; the oldest are forgotten first."""


@dataclass(slots=True, eq=False)
class Turns:
    """Remembers which candidate made which tool call."""

    _maker: OrderedDict[str, str] = field(default_factory=OrderedDict[str, str])

    def note(self, answer: Answer) -> None:
        """Remember the tool calls of an answer that was given."""
        if answer.reply is None or answer.candidate is None:
            return
        for choice in answer.reply.choices:
            for made in choice.tool_calls:
                self.remember(made.id, answer.candidate)

    def remember(self, call_id: str, candidate: str) -> None:
        """Remember who made a tool call."""
        self._maker[call_id] = candidate
        if len(self._maker) > REMEMBERED:
            self._maker.popitem(last=False)

    def inherit(self, before: Turns) -> None:
        """Remember what another one remembers, as older than what is known here."""
        self._maker = OrderedDict((*before._maker.items(), *self._maker.items()))

    def keep(self, query: Query, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """The candidates that may answer: only the maker, where the query answers a tool call.

        A call that nobody remembers (made elsewhere, or long ago) leaves the choice open.
        """
        maker = self._maker.get(_answered(query) or "")
        if maker is None:
            return candidates
        return tuple(c for c in candidates if c.name == maker) or candidates


def _answered(query: Query) -> str | None:
    """The tool call that the client's turn answers; a user's words may follow the tool's result."""
    for message in reversed(query.messages):
        if message.role == "tool":
            return message.tool_call_id
        if message.role == "assistant":
            break
    return None
