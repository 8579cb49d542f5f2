"""Outcome -> Record: what is written down of a request, and what is left out.

Left out on purpose: prices (a cost is enough), schemas of tools, raw bytes of dialects, reasoning
texts, token log-probabilities but for their mean, and anything of a key but its id.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emafusion.domain.errors import EmafusionError
from emafusion.domain.outcome import Answer, Outcome
from emafusion.store.attempts import attempt_records, escalated, judgement_records
from emafusion.store.draft import Draft, Drafts
from emafusion.store.estimates import LabelNames
from emafusion.store.record import Detail, OutcomeRow, Record
from emafusion.store.steps import plan_records
from emafusion.store.texts import Texts, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Makes records. `names`: of the classes of the taxonomy, as `labels` are arrays."""

    texts: Texts
    names: LabelNames
    drafts: Drafts = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Draft in the same words."""
        object.__setattr__(self, "drafts", Drafts(texts=self.texts, names=self.names))

    def record(self, outcome: Outcome) -> Record:
        """Write down one outcome."""
        draft = self.drafts.of(outcome)
        return Record(row=self._row(outcome, draft), detail=self._detail(outcome, draft))

    def _row(self, outcome: Outcome, draft: Draft) -> OutcomeRow:
        answer, query, labels = outcome.answer, outcome.query, draft.labels
        features, estimates = answer.features, answer.estimates
        cost_usd = answer.evidence.cost_usd
        return OutcomeRow(
            decision_id=outcome.decision_id,
            created_at=outcome.created_at,
            query_id=query.query_id,
            requested=storable(query.requested),
            session=None if outcome.session is None else storable(outcome.session),
            key_id=outcome.key_id,
            opening=draft.opening,
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

    def _detail(self, outcome: Outcome, draft: Draft) -> Detail:
        answer, texts = outcome.answer, self.texts
        own = _own_text(answer)
        return Detail(
            query_hash=draft.query_hash,
            features_hash=draft.features_hash,
            prompt=draft.prompt,
            messages=draft.messages,
            answer=texts.keep(own),
            answer_hash=texts.hash(own),
            answer_attempt=answer.attempt,
            failure_message=None if answer.failure is None else texts.message(str(answer.failure)),
            request=draft.request,
            tags=tuple([(storable(name), storable(value)) for name, value in outcome.tags]),
            labels=draft.labels,
            objective=draft.objective,
            pool=draft.pool,
            plans=plan_records(answer.plans, answer.signals),
            attempts=attempt_records(answer.evidence, texts),
            judgements=judgement_records(answer.evidence, texts),
        )


def _own_text(answer: Answer) -> str | None:
    """Text of an answer that is no attempt's."""
    return answer.reply.text if answer.attempt is None and answer.reply is not None else None


def _kind(error: EmafusionError | None) -> str | None:
    return None if error is None else error.kind


def _difference(baseline_usd: float | None, cost_usd: float | None) -> float | None:
    return None if baseline_usd is None or cost_usd is None else baseline_usd - cost_usd
