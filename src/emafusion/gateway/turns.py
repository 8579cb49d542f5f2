"""Tool loops stay with the model that began them.

A turn that answers a tool call goes to the candidate that made the call: another one would get
ids, signatures and half-done work that are not its own. So models change between turns of the user
alone. Some models number their calls anew in every answer: then the conversation tells them apart.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Answer
from emafusion.domain.query import Query

REMEMBERED = 10_000
"""Tool calls remembered at most; the oldest are forgotten first."""

ANYWHERE = ""
"""The conversation under which the last maker of a call of that name is remembered."""


@dataclass(slots=True, eq=False)
class Turns:
    """Remembers which candidate made which tool call.

    `tell`: told of every call, its maker and its conversation, for other workers and replicas; None
    where there are none.
    """

    tell: Callable[[str, str, str], None] | None = None
    _maker: OrderedDict[tuple[str, str], str] = field(
        default_factory=OrderedDict[tuple[str, str], str]
    )

    def note(self, answer: Answer, conversation: str) -> None:
        """Remember the tool calls of an answer that was given."""
        if answer.reply is None or answer.candidate is None:
            return
        for choice in answer.reply.choices:
            for made in choice.tool_calls:
                self.remember(made.id, answer.candidate, conversation)
                if self.tell is not None:
                    self.tell(made.id, answer.candidate, conversation)

    def remember(self, call_id: str, candidate: str, conversation: str) -> None:
        """Remember who made a tool call, in that conversation and in any other."""
        for where in {conversation, ANYWHERE}:
            self._maker[where, call_id] = candidate
            self._maker.move_to_end((where, call_id))
        while len(self._maker) > 2 * REMEMBERED:
            self._maker.popitem(last=False)

    def inherit(self, before: Turns) -> None:
        """Remember what another one remembers, as older than what is known here."""
        self._maker = OrderedDict((*before._maker.items(), *self._maker.items()))

    def keep(
        self, query: Query, conversation: str, candidates: tuple[Candidate, ...]
    ) -> tuple[Candidate, ...]:
        """The candidates that may answer: only the maker, where the query answers a tool call.

        A call that nobody remembers (made elsewhere, or long ago) leaves the choice open.
        """
        call_id = _answered(query)
        if call_id is None:
            return candidates
        maker = self._maker.get((conversation, call_id)) or self._maker.get((ANYWHERE, call_id))
        return tuple(c for c in candidates if c.name == maker) or candidates


def _answered(query: Query) -> str | None:
    """The tool call that the client's turn answers; a user's words may follow the tool's result."""
    for message in reversed(query.messages):
        if message.role == "tool":
            return message.tool_call_id
        if message.role == "assistant":
            break
    return None
