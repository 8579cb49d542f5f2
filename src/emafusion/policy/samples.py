"""Another answer of the same model, as one more candidate.

A model that is asked again may say something else, and where it says the same that is a vote, if a
weaker one than another model's (`judge.family`). So each language model stands in the pool several
times, as `NAME#2`, `NAME#3`; the policy inside decides among all, and what it decides is told by
the models' own names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import replace as with_fields

import numpy as np
from msgspec.structs import replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.evidence import CallStep, FuseStep, GatherStep, Plan, Situation, Step
from emafusion.domain.features import Estimates, Ints
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Policy

MARK = "#"


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPolicy:
    """Another policy, in a pool where each language model may answer `most` times.

    Only where the query leaves room for chance (`Situation.repeatable`), and never a model that
    has just failed.
    """

    inner: Policy
    most: int = 3

    def plan(self, situation: Situation, /) -> Plan:
        """Plan as the inner policy does in the wider pool."""
        if self.most < 2 or not situation.repeatable:
            return self.inner.plan(situation)
        plan = self.inner.plan(widened(situation, self.most))
        return replace(plan, step=_own(plan.step), likely=tuple(map(_own, plan.likely)))


def widened(situation: Situation, most: int) -> Situation:
    """The same situation with every language model in it so often.

    The n-th answer of a model is the answer of its n-th entry.
    """
    failing = _failing(situation.evidence.attempts)
    copies = [
        most if c.model.kind == "language" and c.name not in failing else 1
        for c in situation.candidates
    ]
    rows = np.repeat(np.arange(len(copies)), copies)
    candidates = tuple(
        entry(candidate, n)
        for candidate, count in zip(situation.candidates, copies, strict=True)
        for n in range(1, count + 1)
    )
    attempts = _numbered(situation.evidence.attempts, most)
    return replace(
        situation,
        candidates=candidates,
        estimates=_wider(situation.estimates, rows, candidates),
        evidence=replace(situation.evidence, attempts=attempts),
    )


def entry(candidate: Candidate, n: int) -> Candidate:
    """The n-th entry of a candidate, from 1; the first is itself.

    >>> from emafusion.domain.model import Model
    >>> model = Model(name="a", provider="p")
    >>> entry(Candidate(name="a", model=model, deployment="d", remote_name="a"), 2).name
    'a#2'
    """
    return candidate if n == 1 else with_fields(candidate, name=f"{candidate.name}{MARK}{n}")


def own_name(name: str) -> str:
    """The name of the model behind an entry.

    >>> own_name("a#2"), own_name("b")
    ('a', 'b')
    """
    head, mark, tail = name.rpartition(MARK)
    return head if mark and tail.isdigit() else name


def _failing(attempts: tuple[Attempt, ...]) -> frozenset[str]:
    """Models whose last attempt failed."""
    last = {attempt.candidate: attempt for attempt in attempts}
    return frozenset(name for name, attempt in last.items() if attempt.reply is None)


def _numbered(attempts: tuple[Attempt, ...], most: int) -> tuple[Attempt, ...]:
    """Each attempt under the entry that it was; a failure is the same entry's as what follows."""
    answered = Counter[str]()
    found: list[Attempt] = []
    for attempt in attempts:
        n = min(answered[attempt.candidate] + 1, most)
        found.append(attempt if n == 1 else _renamed(attempt, n))
        if attempt.reply is not None:
            answered[attempt.candidate] += 1
    return tuple(found)


def _renamed(attempt: Attempt, n: int) -> Attempt:
    return replace(attempt, candidate=f"{attempt.candidate}{MARK}{n}")


def _wider(estimates: Estimates, rows: Ints, candidates: tuple[Candidate, ...]) -> Estimates:
    places: list[int] = rows.tolist()
    basis = tuple(estimates.basis[k] for k in places) if estimates.basis else ()
    return replace(
        estimates,
        candidates=tuple(candidate.name for candidate in candidates),
        quality=estimates.quality[rows],
        quality_sd=estimates.quality_sd[rows],
        cost_usd=estimates.cost_usd[rows],
        latency_s=estimates.latency_s[rows],
        basis=basis,
    )


def _own(step: Step) -> Step:
    """The step by the models' own names."""
    match step:
        case CallStep() | FuseStep():
            return replace(step, candidate=own_name(step.candidate))
        case GatherStep():
            return replace(step, candidates=tuple(map(own_name, step.candidates)))
        case _:
            return step
