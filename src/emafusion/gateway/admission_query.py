"""The limits of a key around one query: what it may take is held, what it took is settled."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from dataclasses import replace as with_fields

from msgspec.structs import replace

from emafusion.domain.evidence import JudgeCard
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.outcome import Answer
from emafusion.domain.ports import Pricer
from emafusion.domain.query import Query
from emafusion.flow.parts import Parts
from emafusion.gateway.admission import Admission, Hold
from emafusion.gateway.admission_need import Need, need_of, tokens_of
from emafusion.gateway.admission_refusal import OutOfBudget, OutOfLimit
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

    def fitting(self, need: Need, left_usd: float) -> Need | None:
        """The need with the cheapest candidates alone, as many as fit into what is left.

        None where not even one does, or where no choice was left to us.
        """
        costs = sorted(need.calls_usd.items(), key=lambda item: item[1])
        for count in range(len(costs) - 1, 0, -1):
            calls = dict(costs[:count])
            dearest = list(calls.values())[-self.looks :]
            usd = sum(dearest) + len(dearest) * need.judge_usd
            usd *= 2.0 if self.writes else 1.0
            if usd <= left_usd:
                return replace(need, usd=usd, calls_usd=calls)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A query under way whose key has limits.

    `narrowed`: why fewer candidates are left than the key allows; None where all are.
    """

    admission: Admission
    hold: Hold
    question: Question
    narrowed: OutOfLimit | None = None

    @property
    def headers(self) -> Headers:
        """How the limits stand."""
        return self.hold.headers

    @property
    def notice(self) -> str | None:
        """What the client is told where its budget leaves fewer models."""
        if self.narrowed is None:
            return None
        names = ", ".join(sorted(self.hold.need.calls_usd))
        return f"what is left of the key's budget is only enough for {names}"

    def within(self, objective: Objective) -> Objective:
        """The objective, with no more candidates than the budget has room for."""
        if self.narrowed is None:
            return objective
        return with_fields(objective, candidates=frozenset(self.hold.need.calls_usd))

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
        told = () if self.notice is None else (("narrowed", self.notice),)
        return (
            (*told, ("charged_usd", f"{spent.usd:.6g} (estimate)")) if spent.is_estimate else told
        )


async def hold_query(
    admission: Admission, key: Key, question: Question, *, within_s: float
) -> Held:
    """Hold what a query may take of its key's limits. Raises `OutOfRate` or `OutOfBudget`.

    Where the choice of models is ours and a budget has no room for all of them, it is made among
    those that it has room for.
    """
    if key.budgets:
        need = question.need()
    elif key.tokens_per_minute is not None:
        need = Need(tokens=tokens_of(question.query, question.candidates))
    else:
        need = Need(tokens=0)
    name = f"{question.query.query_id}-{secrets.token_hex(4)}"
    narrowed: OutOfLimit | None = None
    for _ in range(len(key.budgets) + 1):
        try:
            hold = await admission.hold(key, need, name=name, within_s=within_s)
        except OutOfLimit as error:
            raised = admission.misjudged.raised(key.id, need)
            share = need.usd / raised.usd if raised.usd > 0.0 else 1.0
            fewer = question.fitting(need, (error.left_usd or 0.0) * share)
            if fewer is None:
                raise
            narrowed, need = narrowed or error, fewer
        else:
            return Held(admission=admission, hold=hold, question=question, narrowed=narrowed)
    raise narrowed or OutOfBudget("the gateway key's budget has no room for this request")


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
