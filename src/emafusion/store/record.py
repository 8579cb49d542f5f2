"""What a logged request looks like: the types of the rows, the same for writing and reading.

`OutcomeRow` has the columns of table `outcomes` and `Detail` those of table `details`, in their
order; the smaller nouns are the JSON inside the columns of the latter. Everything unknown is None.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class OutcomeRow(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The narrow row: what lists and totals need.

    `created_at`: Unix seconds. `opening`: first words of the prompt. `task`: likeliest task label.
    `looks`: attempts made; `escalated`: another candidate was asked although one had answered.
    """

    decision_id: str
    created_at: float
    query_id: str
    requested: str
    session: str | None
    key_id: str | None
    opening: str | None
    task: str | None
    quality_weight: float
    prompt_tokens: int | None
    familiarity: float | None
    route: str
    propensity: float
    candidate: str | None
    confidence: float | None
    finish: str | None
    status: int
    failure: str | None
    looks: int
    escalated: bool
    cost_usd: float | None
    baseline_usd: float | None
    saved_usd: float | None
    latency_s: float
    overhead_ms: float


class CandidateRecord(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A candidate of the pool with what was estimated of it, and on what basis."""

    candidate: str
    quality: float
    quality_sd: float
    cost_usd: float | None
    latency_s: float | None
    basis: str = ""


class StepRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A step of a plan; which fields are set depends on its kind.

    `gather` calls `candidates` at once; `fuse` lets `candidate` write one answer from `attempts`.
    `fused`: how a given answer was made of `attempts` (`vote`, `merge`, `parts`).
    """

    kind: Literal["call", "judge", "gather", "fuse", "stop"]
    candidate: str | None = None
    live: bool = False
    judges: tuple[str, ...] = ()
    attempt: int | None = None
    candidates: tuple[str, ...] = ()
    attempts: tuple[int, ...] = ()
    fused: str | None = None


class SignalRecord(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What one signal made of an attempt's probability; see `domain.evidence.Signal`."""

    name: str
    attempt: int
    value: float | None
    weight: float
    before: float
    after: float
    cost_usd: float | None = 0.0
    effective: float | None = None


class PlanRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One decision of the policy: the step, its propensity and reason, and the forecast.

    `signals`: on the last one, how the confidence in each attempt came about.
    """

    step: StepRecord
    propensity: float
    reason: str = ""
    likely: tuple[StepRecord, ...] = ()
    quality: float | None = None
    cost_usd: float | None = None
    signals: tuple[SignalRecord, ...] = ()


class UsageRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tokens billed for one attempt; see `domain.attempt.Usage`."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    cache_write_tokens: int = 0
    hour_write_tokens: int = 0
    reasoning_tokens: int = 0
    cpu_s: float | None = None


class ToolCallRecord(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A tool call that a model made: name and arguments as it wrote them."""

    name: str
    arguments: str


class AttemptRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One call and what came of it; its place in the list is its number.

    `others`: texts of the answers after the first, where several were asked for at once.
    `mean_logprob`: natural, per token of the first answer. `group`: of equal answers, -1 if none.
    A `fuse` was written from the answers; judgements of it say how far it is preferred to the best.
    """

    candidate: str
    purpose: Literal["answer", "judge", "label", "fuse"] = "answer"
    model: str | None = None
    response: str | None = None
    response_hash: str | None = None
    others: tuple[str, ...] = ()
    tool_calls: tuple[ToolCallRecord, ...] = ()
    refusal: str | None = None
    finish: str | None = None
    mean_logprob: float | None = None
    usage: UsageRecord | None = None
    failure: str | None = None
    failure_message: str | None = None
    upstream_status: int | None = None
    cost_usd: float | None = None
    latency_s: float = 0.0
    ttft_s: float | None = None
    sent_live: bool = False
    confidence: float | None = None
    group: int = -1


class JudgementRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A judge's opinion of one attempt; `value` None: it abstained."""

    judge: str
    attempt: int
    value: float | None = None
    verdict: str = ""
    cost_usd: float | None = 0.0
    latency_s: float = 0.0


class RequestRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How the answer was wanted: the settings that matter for repeating the query.

    `tools`: their names only. `format`: `text`, `json_object` or `json_schema`.
    """

    stream: bool = False
    format: str = "text"
    tools: tuple[str, ...] = ()
    images: bool = False
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int = 1
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tool_choice: str | None = None
    reasoning_effort: str | None = None


class ObjectiveRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the caller wanted; see `domain.model.Objective`."""

    quality_weight: float = 0.5
    answer_value_usd: float | None = None
    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    min_quality: float | None = None
    candidates: tuple[str, ...] = ()


class LabelRecord(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The likeliest class on one axis of the taxonomy and its probability."""

    label: str
    probability: float


class LabelsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest class on each axis."""

    task: LabelRecord
    depth: LabelRecord
    domain: LabelRecord
    format: LabelRecord


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """The wide row: texts and everything that was done.

    `query_hash`: of the whole conversation, equal for equal ones; `features_hash`: of the numbers
    that were routed by. `messages` (JSON in the form of the OpenAI API) is None where the
    conversation is the one message in `prompt`, or where texts are only hashed. `answer` and its
    hash are set only where the answer is no attempt's own (fused): see `Record.answer`.
    """

    query_hash: str
    features_hash: str | None
    prompt: str | None
    messages: str | None
    answer: str | None
    answer_hash: str | None
    answer_attempt: int | None
    failure_message: str | None
    request: RequestRecord
    tags: tuple[tuple[str, str], ...]
    labels: LabelsRecord | None
    objective: ObjectiveRecord
    pool: tuple[CandidateRecord, ...]
    plans: tuple[PlanRecord, ...]
    attempts: tuple[AttemptRecord, ...]
    judgements: tuple[JudgementRecord, ...]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One logged request, whole."""

    row: OutcomeRow
    detail: Detail

    @property
    def answer(self) -> str | None:
        """Text that the client got; None if it got none, or texts are only hashed."""
        number = self.detail.answer_attempt
        return self.detail.answer if number is None else self.detail.attempts[number].response
