"""The log as an outcome table: what replay and learning read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from emafusion.store.record import AttemptRecord, Record


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an outcome table: a query and what one model made of it.

    `model`: name of the candidate. `response` is None where the attempt failed, and with `prompt`
    where texts are only hashed. `dataset` is what the request called its kind of work. `answer`
    and `gold` are unknown to a log, `score` but where people said it. `sample`: 0, 1, ... where one
    model answered a query several times. Token counts and `cost_usd` are None where unknown.
    """

    query_id: str
    prompt: str | None
    messages: str | None
    dataset: str | None = None
    model: str
    response: str | None
    answer: str | None = None
    score: float | None = None
    gold: str | None = None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    latency_s: float
    sample: int
    mean_logprob: float | None


def table_rows(record: Record, *, score: float | None = None) -> Iterator[TableRow]:
    """One row for each attempt, in order. `score`: what people said of the answer given."""
    samples: Counter[str] = Counter()
    for place, attempt in enumerate(record.detail.attempts):
        row = _table_row(record, attempt, samples[attempt.candidate])
        is_given = place == record.detail.answer_attempt
        yield msgspec.structs.replace(row, score=score) if is_given else row
        samples[attempt.candidate] += 1


def _table_row(record: Record, attempt: AttemptRecord, sample: int) -> TableRow:
    usage = attempt.usage
    return TableRow(
        query_id=record.row.query_id,
        prompt=record.detail.prompt,
        messages=record.detail.messages,
        dataset=dict(record.detail.tags).get("dataset"),
        model=attempt.candidate,
        response=attempt.response,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        completion_tokens=None if usage is None else usage.completion_tokens,
        cost_usd=attempt.cost_usd,
        latency_s=attempt.latency_s,
        sample=sample,
        mean_logprob=attempt.mean_logprob,
    )
