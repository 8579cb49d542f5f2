"""Answers and outcomes: what the client gets, and the log row of all of it."""

from __future__ import annotations

from msgspec import Struct, field

from emafusion.domain.attempt import Reply
from emafusion.domain.errors import Failure
from emafusion.domain.evidence import Evidence, Fused, Plan, Signal
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Objective
from emafusion.domain.query import Query

RELATIVE = ("confidence", "relative")
"""The tag of an outcome whose confidence ranks answers and tells no level: no label was seen."""


class Answer(Struct, frozen=True, kw_only=True, eq=False):
    """What a flow returns: the reply to give, or why there is none, with everything seen.

    `attempt`: index of the attempt whose reply it is, None if fused or failed. `route`:
    `taxonomy`, `learned`, `prior`, `parts` (the query was split) or `direct` (the client named the
    model). `propensity`: of the
    whole decision, the product of the plans' propensities. `baseline_usd`: expected
    cost of the best single candidate on this query, for `saved_usd`; None if unknown. `fused`: of
    which attempts it was made and how, None where it is one attempt's. `signals`: how each
    attempt's confidence came about, where it was asked for.
    """

    reply: Reply | None
    failure: Failure | None
    attempt: int | None
    evidence: Evidence
    plans: tuple[Plan, ...]
    features: Features | None
    estimates: Estimates | None
    route: str
    propensity: float
    confidence: float | None = None
    baseline_usd: float | None = None
    fused: Fused | None = None
    signals: tuple[Signal, ...] = ()

    @property
    def candidate(self) -> str | None:
        """Name of the candidate whose answer is given; None if fused or failed."""
        return None if self.attempt is None else self.evidence.attempts[self.attempt].candidate


REFUSED = Answer(
    reply=None,
    failure=None,
    attempt=None,
    evidence=Evidence(),
    plans=(),
    features=None,
    estimates=None,
    route="refused",
    propensity=1.0,
)
"""Of a query that nobody could serve."""


class Outcome(Struct, frozen=True, kw_only=True, eq=False):
    """One row of the log: a request and everything that was done for it.

    `created_at`: Unix seconds. `overhead_ms`: our own time, upstream waits taken off.
    `status`: HTTP status the client got. `key_id`: which gateway key, never the key.
    """

    decision_id: str
    created_at: float
    query: Query
    objective: Objective
    answer: Answer
    status: int
    latency_s: float
    overhead_ms: float
    session: str | None = None
    key_id: str | None = None
    tags: tuple[tuple[str, str], ...] = field(default=())
