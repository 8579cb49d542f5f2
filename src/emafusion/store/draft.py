"""What of an outcome is written down before its answer is there, so that nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.store.conversation import is_one_prompt, messages_json, request_record
from emafusion.store.estimates import LabelNames, features_hash, labels_record, pool_records
from emafusion.store.record import CandidateRecord, LabelsRecord, ObjectiveRecord, RequestRecord
from emafusion.store.texts import Texts, digest

MOST_WAITING = 1_000
"""Drafts that are kept; beyond that all are made when their answer is there."""


class Known(Struct, frozen=True, kw_only=True, eq=False):
    """What is known of a query when its first call leaves."""

    query: Query
    objective: Objective
    features: Features | None = None
    estimates: Estimates | None = None


class Draft(Struct, frozen=True, kw_only=True, eq=False):
    """The part of a record that does not depend on an answer."""

    known: Known
    query_hash: str
    prompt: str | None
    opening: str | None
    messages: str | None
    request: RequestRecord
    objective: ObjectiveRecord
    features_hash: str | None
    labels: LabelsRecord | None
    pool: tuple[CandidateRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """Makes drafts, and keeps those made ahead until their outcome comes."""

    texts: Texts
    names: LabelNames
    _ahead: dict[str, Draft] = field(default_factory=dict[str, Draft], init=False, repr=False)

    def __len__(self) -> int:
        """How many wait for their outcome."""
        return len(self._ahead)

    def ahead(self, known: Known) -> None:
        """Make one for an outcome that will come."""
        if len(self._ahead) >= MOST_WAITING:
            self._ahead.clear()  # an outcome that never came leaves its draft behind
        self._ahead[known.query.query_id] = self._made(known)

    def of(self, outcome: Outcome) -> Draft:
        """The draft of an outcome, made now where none was made of just the same."""
        answer = outcome.answer
        known = Known(
            query=outcome.query,
            objective=outcome.objective,
            features=answer.features,
            estimates=answer.estimates,
        )
        made = self._ahead.pop(outcome.query.query_id, None)
        return made if made is not None and _is_same(made.known, known) else self._made(known)

    def _made(self, known: Known) -> Draft:
        query, features, estimates = known.query, known.features, known.estimates
        written = messages_json(query.messages)
        needed = self.texts.prompts == "full" and not is_one_prompt(query)
        prompt = query.prompt
        return Draft(
            known=known,
            query_hash=digest(written),
            prompt=self.texts.keep(prompt),
            opening=self.texts.opening(prompt),
            messages=written if needed else None,
            request=request_record(query, self.texts),
            objective=_objective_record(known.objective),
            features_hash=None if features is None else features_hash(features),
            labels=None if features is None else labels_record(features.labels, self.names),
            pool=() if estimates is None else pool_records(estimates),
        )


def _is_same(one: Known, two: Known) -> bool:
    return (
        one.query is two.query
        and one.features is two.features
        and one.estimates is two.estimates
        and one.objective == two.objective
    )


def _objective_record(objective: Objective) -> ObjectiveRecord:
    return ObjectiveRecord(
        quality_weight=objective.quality_weight,
        answer_value_usd=objective.answer_value_usd,
        max_cost_usd=objective.max_cost_usd,
        max_latency_s=objective.max_latency_s,
        min_quality=objective.min_quality,
        candidates=tuple(sorted(objective.candidates)),
    )
