"""What a language model said of the kind of recorded queries: slow labels, to be replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOfQuery:
    """A labeller's reply as it came; cost and time are None where they were not recorded."""

    text: str
    cost_usd: float | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowRecords:
    """Replies of one labeller by query_id. `model`: who it was."""

    model: str
    said: Mapping[str, SaidOfQuery] = field(default_factory=dict[str, SaidOfQuery])

    @property
    def cost_usd(self) -> float:
        """Mean cost of a labelling, 0 where none was recorded."""
        known = [each.cost_usd for each in self.said.values() if each.cost_usd is not None]
        return sum(known) / len(known) if known else 0.0

    def attempt(self, query_id: str, candidate: str) -> Attempt:
        """The recorded call; a failure by value where none was recorded.

        >>> SlowRecords(model="m").attempt("q", "m").failure is None
        False
        """
        said = self.said.get(query_id)
        if said is None:
            failure = Rejected("no label was recorded")
            return Attempt(candidate=candidate, failure=failure, cost_usd=0.0)
        reply = Reply(choices=(Choice(text=said.text),), model=self.model, usage=None)
        return Attempt(
            candidate=candidate,
            reply=reply,
            cost_usd=said.cost_usd,
            latency_s=said.latency_s or 0.0,
        )
