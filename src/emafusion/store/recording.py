"""Outcome -> Record: what is written down of a request, and what is left out. Pure.

Left out on purpose: prices (a cost is enough), schemas of tools, raw bytes of dialects, reasoning
texts, token log-probabilities but for their mean, and anything of a key but its id.
"""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.errors import EmafusionError
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer, Outcome
from emafusion.domain.query import Query
from emafusion.store.attempts import attempt_records, escalated, judgement_records
from emafusion.store.conversation import is_one_prompt, messages_json, request_record
from emafusion.store.estimates import LabelNames, features_hash, labels_record, pool_records
from emafusion.store.record import (
    Detail,
    LabelsRecord,
    ObjectiveRecord,
    OutcomeRow,
    Record,
)
from emafusion.store.steps import plan_records
from emafusion.store.texts import Texts, digest, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Makes records. `names`: of the classes of the taxonomy, as `labels` are arrays."""

    texts: Texts
    names: LabelNames

    def record(self, outcome: Outcome) -> Record:
        """Write down one outcome."""
        features = outcome.answer.features
        labels = None if features is None else labels_record(features.labels, self.names)
        return Record(row=self._row(outcome, labels), detail=self._detail(outcome, labels))

    def _row(self, outcome: Outcome, labels: LabelsRecord | None) -> OutcomeRow:
        answer, query = outcome.answer, outcome.query
        features, estimates = answer.features, answer.estimates
        cost_usd = answer.evidence.cost_usd
        return OutcomeRow(
            decision_id=outcome.decision_id,
            created_at=outcome.created_at,
            query_id=query.query_id,
            requested=storable(query.requested),
            session=None if outcome.session is None else storable(outcome.session),
            key_id=outcome.key_id,
            opening=self.texts.opening(query.prompt),
            task=None if labels is None else labels.task.label,
            quality_weight=outcome.objective.quality_weight,
            prompt_tokens=None if features is None else features.prompt_tokens,
            familiarity=None if estimates is None else estimates.familiarity,
            route=answer.route,
            propensity=answer.propensity,
            candidate=answer.candidate,
            confidence=answer.confidence,
            finish=None if answer.reply is None else answer.reply.choices[0].finish_reason,
            status=outcome.status,
            failure=_kind(answer.failure),
            looks=len(answer.evidence.attempts),
            escalated=escalated(answer.evidence.attempts),
            cost_usd=cost_usd,
            baseline_usd=answer.baseline_usd,
            saved_usd=_difference(answer.baseline_usd, cost_usd),
            latency_s=outcome.latency_s,
            overhead_ms=outcome.overhead_ms,
        )

    def _detail(self, outcome: Outcome, labels: LabelsRecord | None) -> Detail:
        answer, texts = outcome.answer, self.texts
        query_hash, messages = self._conversation(outcome.query)
        own = _own_text(answer)
        return Detail(
            query_hash=query_hash,
            features_hash=None if answer.features is None else features_hash(answer.features),
            prompt=texts.keep(outcome.query.prompt),
            messages=messages,
            answer=texts.keep(own),
            answer_hash=texts.hash(own),
            answer_attempt=answer.attempt,
            failure_message=None if answer.failure is None else texts.message(str(answer.failure)),
            request=request_record(outcome.query, texts),
            tags=tuple([(storable(name), storable(value)) for name, value in outcome.tags]),
            labels=labels,
            objective=_objective_record(outcome.objective),
            pool=() if answer.estimates is None else pool_records(answer.estimates),
            plans=plan_records(answer.plans, answer.signals),
            attempts=attempt_records(answer.evidence, texts),
            judgements=judgement_records(answer.evidence, texts),
        )

    def _conversation(self, query: Query) -> tuple[str, str | None]:
        """Hash of the conversation, and its messages where the prompt does not say it all."""
        written = messages_json(query.messages)
        needed = self.texts.prompts == "full" and not is_one_prompt(query)
        return digest(written), written if needed else None


def _own_text(answer: Answer) -> str | None:
    """Text of an answer that is no attempt's."""
    return answer.reply.text if answer.attempt is None and answer.reply is not None else None


def _kind(error: EmafusionError | None) -> str | None:
    return None if error is None else error.kind


def _difference(baseline_usd: float | None, cost_usd: float | None) -> float | None:
    return None if baseline_usd is None or cost_usd is None else baseline_usd - cost_usd


def _objective_record(objective: Objective) -> ObjectiveRecord:
    return ObjectiveRecord(
        quality_weight=objective.quality_weight,
        answer_value_usd=objective.answer_value_usd,
        max_cost_usd=objective.max_cost_usd,
        max_latency_s=objective.max_latency_s,
        min_quality=objective.min_quality,
        candidates=tuple(sorted(objective.candidates)),
    )
