"""What a flow is made of: one implementation of each port, and the task at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from msgspec import Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.evidence import Case, JudgeCard, Signal
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.ports import Encoder, Estimator, Grouper, Judge, Panel, Policy, Splitter
from emafusion.domain.query import Query
from emafusion.flow.fusing import Fusing
from emafusion.flow.retry import PLENTY, Mercy
from emafusion.flow.slow import SlowLabels

COLD: Mapping[str, int] = MappingProxyType({})
"""Nobody has any of it in a cache."""

Unsupported = Callable[[Query, Candidate], tuple[str, ...]]
"""Names of a query's parameters, as OpenAI calls them, that a candidate's API cannot say."""

Explain = Callable[[Sequence[float], Case], tuple[Signal, ...]]
"""Predicted quality of each attempt, and the case -> what each signal made of each confidence."""


Ahead = Callable[[Features, Estimates], None]
"""Told what is known of a query when its first call is about to leave."""


def everything_said(_query: Query, _candidate: Candidate) -> tuple[str, ...]:
    """Every API can say all of it."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """One implementation of each port; `judges` by name, in the order they are to be asked.

    `best_single`: name of the candidate that is best on its own, for what was saved against it.
    `classes`: for each axis of `Labels` the names of its classes, for people to read.
    `unsupported`: what of a query would be lost on the way to a candidate. `artifact`: digest of
    what was learned, for the log; None where nothing was. `cards`: those of the judges.
    `slow`: the slow classifier, None where nobody is asked for labels. `fusion`: the policy of who
    asks for fusion by name, None for the same; `fusing`: who writes one answer of several, None
    where nobody does; `explain`: says how confidences came about, None where that is not kept;
    `splitter`: splits queries of several tasks, None where they are answered whole; `checker`:
    makes the judge that runs a client's tests, None where none are run; `relative`: whether
    confidences rank answers and tell no level, no label having been seen; `ahead`: reads
    of a query what its judges will want to know, None for nothing.
    """

    encoder: Encoder
    estimator: Estimator
    policy: Policy
    judges: Mapping[str, Judge]
    panel: Panel
    group: Grouper
    best_single: str | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unsupported: Unsupported = everything_said
    artifact: str | None = None
    slow: SlowLabels | None = None
    fusion: Policy | None = None
    fusing: Fusing | None = None
    explain: Explain | None = None
    splitter: Splitter | None = None
    checker: Callable[[str], Judge] | None = None
    relative: bool = False
    ahead: Callable[[Query], None] | None = None
    cards: tuple[JudgeCard, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Look at the judges' cards once, not for every query."""
        object.__setattr__(self, "cards", tuple(judge.card for judge in self.judges.values()))

    def tested_by(self, tests: str) -> Parts:
        """The same with a judge more, that runs a client's tests on every held answer.

        The tests are of the whole answer, so the query is not split. Raises `BadInput` where nobody
        runs any.
        """
        if self.checker is None:
            told = "this gateway runs no tests: its operator has set no fusion.checker"
            raise BadInput(told, where="emafusion.tests")
        judge = self.checker(tests)
        judges = {judge.card.name: judge, **self.judges}
        return replace(self, judges=judges, splitter=None)


class Task(Struct, frozen=True, kw_only=True):
    """A query, what is wanted of it, and who is there to answer it.

    `candidates`: the pool, in any order. `resting`: names of those that failed lately; they are
    called only where nobody else can serve the query. `baseline`: whom savings are counted
    against; None for the best single candidate. `is_fused`: whether fusion was asked for.
    `warm`: by candidate, how many tokens of the conversation its provider has in its cache;
    `is_explained`: whether how the confidences came about is to be told with the answer.
    `mercy`: what may be done besides where a call fails or stays silent. `reserve`: who may be
    asked where none of the candidates answers; empty for nobody else. `ahead`: is told before the
    first call, so that others can prepare while it is under way.
    """

    query: Query
    candidates: tuple[Candidate, ...]
    objective: Objective = Objective()
    resting: frozenset[str] = frozenset()
    baseline: Candidate | None = None
    is_fused: bool = False
    warm: Mapping[str, int] = COLD
    is_explained: bool = False
    mercy: Mercy = PLENTY
    reserve: tuple[Candidate, ...] = ()
    ahead: Ahead | None = None
