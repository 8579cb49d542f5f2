"""The service: a query in, an outcome out, logged before anybody is told.

The gateway, the library and the command line all answer through this one class.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from emafusion.domain.command import Flow
from emafusion.domain.errors import Cancelled, EmafusionError, NoCandidate
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.outcome import REFUSED, RELATIVE, Answer, Outcome
from emafusion.domain.ports import Pricer, Sink, Store, Upstream
from emafusion.domain.query import Query
from emafusion.domain.session import session_of
from emafusion.flow.decompose import answered
from emafusion.flow.direct import direct
from emafusion.flow.parts import Parts, Task
from emafusion.gateway.admission import Admission
from emafusion.gateway.admission_query import Held, hold_query, question_of
from emafusion.gateway.admission_scope import within
from emafusion.gateway.aside import Aside
from emafusion.gateway.driver import Run, drive
from emafusion.gateway.embedders import Embedders
from emafusion.gateway.facts import EXPLAIN
from emafusion.gateway.ledger import Ledger
from emafusion.gateway.mercies import Mercies
from emafusion.gateway.named import check_named, dropped, may_stand_in
from emafusion.gateway.names import FUSION, named_candidate, objective_for
from emafusion.gateway.preparing import Preparing
from emafusion.gateway.readiness import Decider, Place, Readiness, readiness_of
from emafusion.gateway.reuse.exact import HIT, MISS, Cache
from emafusion.gateway.reuse.kept import Kept, given_again
from emafusion.gateway.reuse.once import REPLAYED, Once, Try
from emafusion.gateway.tests_asked import refuse_tests, with_tests
from emafusion.gateway.turns import Turns
from emafusion.gateway.unbroken import unbroken
from emafusion.gateway.warmth import Warmth
from emafusion.gateway.watching import Watching
from emafusion.store.feedback.feedback import FeedbackStore
from emafusion.store.keys.key import Key
from emafusion.store.shelf.ports import Shelf
from emafusion.upstream.health import Health

NOTICE = "x-emafusion-notice"
"""Header by which a client is told what was changed in its request."""


class Asked(Struct, frozen=True, kw_only=True):
    """A query with what surrounds it.

    `session`: which conversation it belongs to; None where nobody says, so its words do.
    `objective`: what is wanted of the answer; `key`: which key asked, None where none had to.
    `baseline`: whom savings are counted against; None for the best single candidate. `notice`: what
    the client is to be told of its request. `once`: its idempotency key; `anew`: it wants no answer
    that was given before. `tests`: what an answer must pass, for the operator's checker;
    `explain`: to be told how its answer came about. `is_heavy`: its steps would hold up others.
    """

    query: Query
    objective: Objective
    session: str | None = None
    key: Key | None = None
    tags: tuple[tuple[str, str], ...] = ()
    baseline: Candidate | None = None
    notice: str | None = None
    once: str | None = None
    anew: bool = False
    tests: str | None = None
    explain: bool = False
    is_heavy: bool = False

    @property
    def wanted(self) -> Objective:
        """The objective with the weight of the profile asked for, as far as the key allows it."""
        objective = objective_for(self.query.requested, self.objective)
        return objective if self.key is None else within(objective, self.key)

    @property
    def conversation(self) -> str:
        """What its conversation is known by here: a session is its key's own."""
        return f"{self.key_id or ''}/{self.session or session_of(self.query)}"

    @property
    def key_id(self) -> str | None:
        """Which key asked, for the log."""
        return None if self.key is None else self.key.id


def new_decision_id() -> str:
    """An id that sorts by time and cannot be guessed: `em-` and 24 hex digits."""
    return f"em-{int(time.time() * 1000):011x}{secrets.token_hex(7)[:13]}"


@dataclass(slots=True, kw_only=True, eq=False)
class Service:
    """Answers queries with one pool of candidates.

    `objective`: where the caller says nothing; `timeout_s`: deadline of a request, all tries and
    steps included; `max_body`: bytes of a request at most; `health`: who failed lately; `places`:
    how the deployments on this machine stand; `refused`: why the artifact on disk was not taken
    over, None where it decides; `alarm`: why a promise no longer holds; `admission`: holds and
    counts what keys may take, None where no key has limits; `mercies`: what is done where a call
    fails or stays silent. `cache`: answers that may be given again; `once`: those made under a
    client's idempotency key. `shelf`: what is kept for clients, `feedback`: what they say;
    `keeps_responses`: whether responses are; `embedders`: models that make embeddings.
    """

    parts: Parts
    candidates: tuple[Candidate, ...]
    upstreams: Mapping[str, Upstream]
    pricer: Pricer
    store: Store
    objective: Objective
    timeout_s: float = 600.0
    max_body: int = 32 * 2**20
    places: Callable[[], Mapping[str, Place]] = dict[str, Place]
    refused: str | None = None
    alarm: str | None = None
    admission: Admission | None = None
    cache: Cache | None = None
    once: Once = field(default_factory=Once)
    shelf: Shelf | None = None
    feedback: FeedbackStore | None = None
    keeps_responses: bool = True
    embedders: Embedders = field(default_factory=Embedders)
    wake_batches: Callable[[], object] = bool
    turns: Turns = field(default_factory=Turns)
    warmth: Warmth = field(default_factory=Warmth)
    health: Health = field(default_factory=Health)
    mercies: Mercies = field(default_factory=Mercies)
    watching: Watching = field(default_factory=Watching)
    aside: Aside = field(default_factory=Aside)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        """Keep what is answered in the store."""
        self.ledger = Ledger(self.store)

    async def answer(self, asked: Asked, run: Run) -> Outcome:
        """Answer a query and log the outcome.

        Returns once the outcome is safe in the store, or the ledger has told that it cannot be;
        `outcome.answer` may hold a failure. Raises
        `BadInput` for what cannot be served at all, and `CancelledError` when the client left,
        after logging what had been done until then. Where the request came before under the same
        idempotency key, the outcome is the one that was made then.
        """
        if asked.once is None:
            return await self._answer(asked, run)
        tried = Try(
            owner=asked.key_id or "",
            key=asked.once,
            query=asked.query,
            objective=asked.objective,
            until_s=run.deadline_s,
        )
        outcome, again = await self.once.answer(tried, lambda: self._answer(asked, run))
        if again:
            run.told = (*run.told, REPLAYED)
        return outcome

    async def _answer(self, asked: Asked, run: Run) -> Outcome:
        started, created_at = time.perf_counter(), time.time()
        # A request ends on the parts it began with, whatever is swapped in meanwhile.
        parts = self.parts
        run.aside = self.aside if asked.is_heavy else None
        hold = None if asked.key is None else await self._held(asked, asked.key, run)
        if hold is not None and hold.narrowed is not None:
            asked = replace(asked, objective=hold.within(asked.objective))
        try:
            kept = None if self.cache is None else await self._kept(asked, self.cache, run)
            if kept is None:
                asked = await self._read(asked)
                answer = await drive(self._flow(asked, parts, run), run)
            else:
                answer = given_again(kept)
        except EmafusionError as error:
            if hold is not None:
                await hold.release()
            if isinstance(error, NoCandidate):
                refused = _refused(asked, error, created_at)
                await self.ledger.keep(refused, run.deadline_s)
                self.watching.answered(refused)
                if hold is not None and hold.narrowed is not None:
                    raise hold.narrowed from error
            raise
        asked = self._with_tags(asked, answer, parts)
        if hold is not None:
            tags, left = await unbroken(hold.settled(answer))
            run.left = run.left or left
            asked = replace(asked, tags=(*asked.tags, *tags))
        outcome = _outcome(asked, answer, run, started=started, created_at=created_at)
        self.turns.note(answer, asked.conversation)
        self._note_warmth(asked, answer)
        await self.ledger.keep(outcome, run.deadline_s)
        self.watching.answered(outcome)
        if self.cache is not None and kept is None:
            key_id, objective = asked.key_id, asked.wanted
            self.cache.keep(outcome, objective, key_id, encoder=parts.encoder)
        if run.left:
            raise asyncio.CancelledError
        return outcome

    async def _kept(self, asked: Asked, cache: Cache, run: Run) -> Kept | None:
        """The answer to give again, unless the client wants a new one."""
        if asked.anew:
            return None
        encoder, objective = self.parts.encoder, asked.wanted
        kept = await cache.find(asked.query, objective, asked.key_id, encoder=encoder)
        run.told = (*run.told, HIT if kept is not None else MISS)
        return kept

    async def _held(self, asked: Asked, key: Key, run: Run) -> Held | None:
        """Hold what the key's limits ask for, and note what the client is to be told.

        Raises `OutOfLimit`.
        """
        run.told = _notices(asked.notice)
        if self.admission is None or not key.is_counted:
            return None
        within_s = run.deadline_s - asyncio.get_running_loop().time()
        question = question_of(
            asked.query,
            asked.objective,
            candidates=self.candidates,
            parts=self.parts,
            pricer=self.pricer,
            looks=self.admission.looks_for(asked.query.requested),
        )
        held = await hold_query(self.admission, key, question, within_s=within_s)
        run.told = (*_notices(asked.notice, held.notice), *held.headers)
        return held

    def run(self, *, sink: Sink | None = None, timeout_s: float | None = None) -> Run:
        """The circumstances of a request that starts now."""
        now = asyncio.get_running_loop().time()
        return Run(
            upstreams=self.upstreams,
            pricer=self.pricer,
            deadline_s=now + min(timeout_s or self.timeout_s, self.timeout_s),
            sink=sink,
            health=self.health,
            budget=self.mercies.budget,
        )

    def task(self, asked: Asked) -> Task:
        """What the main flow is to do for this query."""
        everybody = self.candidates
        candidates = self.turns.keep(asked.query, asked.conversation, everybody)
        resting = self.mercies.resting(self.health, time.monotonic())
        if resting and resting.issuperset(each.name for each in candidates):
            candidates = everybody
        return Task(
            query=asked.query,
            candidates=candidates,
            objective=asked.wanted,
            resting=resting,
            reserve=() if candidates is everybody else everybody,
            baseline=asked.baseline,
            is_fused=asked.query.requested == FUSION,
            warm=self.warmth.of(asked.conversation, now_s=time.monotonic()),
            is_explained=asked.explain,
        )

    def _flow(self, asked: Asked, parts: Parts, run: Run) -> Flow[Answer]:
        chosen = named_candidate(asked.query.requested, self.candidates)
        task = self.task(asked)
        fits = partial(may_stand_in, task=task, parts=parts)
        mercy = self.mercies.of(run.health, run.deadline_s, fits)
        ahead = Preparing(
            query=asked.query, objective=task.objective, parts=parts, ledger=self.ledger
        )
        task = replace(task, mercy=mercy, ahead=None if asked.is_heavy else ahead)
        if chosen is None:
            return answered(*with_tests(task, parts, asked.tests))
        refuse_tests(asked.tests, chosen.name)
        check_named(chosen, task, parts)
        others = self.mercies.fallbacks.get(chosen.name, ())
        if not asked.is_heavy:
            ahead.named()
        return direct(asked.query, chosen, mercy=mercy, fallbacks=others, fits=fits)

    async def _read(self, asked: Asked) -> Asked:
        """What was asked, with the vector of its prompt; the log tells where there was none."""
        meaning = self.embedders.meaning
        if meaning is None:
            return asked
        query = await meaning.given(asked.query)
        if query.embedding is not None:
            return replace(asked, query=query)
        return replace(asked, tags=(*asked.tags, ("unread", meaning.name)))

    def dropped(self, query: Query, name: str | None) -> str:
        """Names of the parameters that did not reach this candidate, with commas; may be empty."""
        found = next((c for c in self.candidates if c.name == name), None)
        return "" if found is None else dropped(query, found, self.parts.unsupported)

    def _with_tags(self, asked: Asked, answer: Answer, parts: Parts) -> Asked:
        """What was asked, with what the log should tell of it besides."""
        lost = self.dropped(asked.query, answer.candidate)
        tags = asked.tags if not lost else (*asked.tags, ("dropped", lost))
        if parts.artifact is not None and answer.estimates is not None:
            tags = (*tags, ("artifact", parts.artifact))
        if parts.relative and answer.confidence is not None:
            tags = (*tags, RELATIVE)
        if asked.explain:
            tags = (*tags, EXPLAIN)
        return asked if tags is asked.tags else replace(asked, tags=tags)

    def _note_warmth(self, asked: Asked, answer: Answer) -> None:
        """Remember who has this conversation in its cache now."""
        self.warmth.note(
            asked.conversation,
            answer.evidence,
            candidates=self.candidates,
            now_s=time.monotonic(),
        )

    def readiness(self) -> Readiness:
        """Whether it can answer, and what stands in the way."""
        decider = Decider(
            artifact=self.parts.artifact, is_refused=self.refused is not None, alarm=self.alarm
        )
        return readiness_of(
            self.candidates,
            self.places(),
            self.ledger,
            decider=decider,
            are_limits_shared=self.admission is None or self.admission.is_shared,
        )

    async def close(self) -> None:
        """Close every upstream."""
        self.aside.close()
        for upstream in self.upstreams.values():
            await upstream.close()


def _outcome(
    asked: Asked, answer: Answer, run: Run, *, started: float, created_at: float
) -> Outcome:
    latency_s = time.perf_counter() - started
    return Outcome(
        decision_id=asked.query.query_id,
        created_at=created_at,
        query=asked.query,
        objective=asked.wanted,
        answer=answer,
        status=_status(answer, run),
        latency_s=latency_s,
        overhead_ms=max(0.0, latency_s - run.waited_s) * 1000.0,
        session=asked.session,
        key_id=asked.key_id,
        tags=asked.tags,
    )


def _notices(*notices: str | None) -> tuple[tuple[str, str], ...]:
    """What the client is to be told, as a header."""
    told = "; ".join(each for each in notices if each is not None)
    return ((NOTICE, told),) if told else ()


def _status(answer: Answer, run: Run) -> int:
    if run.left:
        return Cancelled.client_status
    return 200 if answer.failure is None else answer.failure.client_status


def _refused(asked: Asked, error: NoCandidate, created_at: float) -> Outcome:
    """A query that nobody could serve is an outcome too."""
    return Outcome(
        decision_id=asked.query.query_id,
        created_at=created_at,
        query=asked.query,
        objective=asked.objective,
        answer=REFUSED,
        status=error.status,
        latency_s=time.time() - created_at,
        overhead_ms=(time.time() - created_at) * 1000.0,
        session=asked.session,
        key_id=asked.key_id,
        tags=asked.tags,
    )
