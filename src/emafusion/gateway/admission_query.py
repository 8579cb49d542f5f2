"""The limits of a key around one query: what it may take is held, what it took is settled."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from msgspec.structs import replace

from emafusion.domain.evidence import JudgeCard
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.outcome import Answer
from emafusion.domain.ports import Pricer
from emafusion.domain.query import Query
from emafusion.flow.parts import Parts
from emafusion.gateway.admission import Admission, Hold
from emafusion.gateway.admission_need import Need, need_of, tokens_of
from emafusion.gateway.admission_spent import spent_of
from emafusion.gateway.http import Headers
from emafusion.gateway.names import named_candidate
from emafusion.store.keys.key import Key

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query with all that may be done for it.

    `candidates`: who may be asked; `looks`: how many of them at most; `cards`: of the judges that
    may read the answers; `writes`: whether one answer may be written of several.
    """

    query: Query
    candidates: tuple[Candidate, ...]
    cards: tuple[JudgeCard, ...]
    looks: int
    pricer: Pricer
    writes: bool = False

    def need(self) -> Need:
        """The most that it is expected to take."""
        need = need_of(
            self.query, self.candidates, cards=self.cards, pricer=self.pricer, looks=self.looks
        )
        # Who writes one answer of several reads all of them: no more than they took together.
        return replace(need, usd=2.0 * need.usd) if self.writes else need


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A query under way whose key has limits."""

    admission: Admission
    hold: Hold
    question: Question

    @property
    def headers(self) -> Headers:
        """How the limits stand."""
        return self.hold.headers

    async def release(self) -> None:
        """Nobody was called."""
        await self.admission.release(self.hold)

    async def settled(self, answer: Answer) -> Tags:
        """Count what was taken; tags for the log, which say where some of it is an estimate."""
        need = self.hold.need
        if answer.evidence.cost_usd is None and not need.calls_usd:
            need = self.question.need()
        spent = spent_of(answer, need)
        await self.admission.settle(self.hold, spent)
        return (("charged_usd", f"{spent.usd:.6g} (estimate)"),) if spent.is_estimate else ()


async def hold_query(
    admission: Admission, key: Key, question: Question, *, within_s: float
) -> Held:
    """Hold what a query may take of its key's limits. Raises `OutOfRate` or `OutOfBudget`."""
    if key.budgets:
        need = question.need()
    elif key.tokens_per_minute is not None:
        need = Need(tokens=tokens_of(question.query, question.candidates))
    else:
        need = Need(tokens=0)
    name = f"{question.query.query_id}-{secrets.token_hex(4)}"
    hold = await admission.hold(key, need, name=name, within_s=within_s)
    return Held(admission=admission, hold=hold, question=question)


def question_of(
    query: Query,
    objective: Objective,
    *,
    candidates: tuple[Candidate, ...],
    parts: Parts,
    pricer: Pricer,
    looks: int,
) -> Question:
    """What may be done for a query: one call where it names a model, else as many as allowed."""
    named = named_candidate(query.requested, candidates)
    if named is not None:
        return Question(query=query, candidates=(named,), cards=(), looks=1, pricer=pricer)
    names = objective.candidates
    usable = tuple(c for c in candidates if not names or c.name in names)
    return Question(
        query=query,
        candidates=usable,
        cards=parts.cards,
        looks=looks,
        pricer=pricer,
        writes=parts.fusing is not None,
    )
