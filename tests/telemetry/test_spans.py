"""Outcomes become spans and metrics of OpenTelemetry, in the client's trace, without its words."""

from __future__ import annotations

import pytest
from tests.store.outcomes import outcome

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")

from msgspec.structs import replace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from emafusion.domain.attempt import Attempt
from emafusion.domain.errors import Overloaded
from emafusion.domain.evidence import Judgement, Merge
from emafusion.domain.outcome import Outcome
from emafusion.telemetry.gen_ai import GenAiMetrics
from emafusion.telemetry.spans import TRACE_TAG, Spans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def spans_of(seen: Outcome, *, content: bool = False) -> tuple[ReadableSpan, ...]:
    """The spans of one outcome."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    Spans(provider=provider, candidates=dict, content=content).answered(seen)
    return kept.get_finished_spans()


def test_one_span_a_call_below_the_request() -> None:
    """And one for each judge, whatever it was of; all within the request's time."""
    seen = outcome()
    evidence = seen.answer.evidence
    write = Attempt(candidate="large", failure=Overloaded("no"), latency_s=0.1)
    said = Judgement(judge="compare", attempt=0, value=0.4)
    merge = Merge(attempt=write, of=(0,), over=0, compared=(said,))
    evidence = replace(evidence, labelled=(write,), merge=merge)
    seen = replace(seen, answer=replace(seen.answer, evidence=evidence))
    *pieces, request = spans_of(seen)
    assert len(pieces) == len(evidence.attempts) + len(evidence.judgements) + 3
    assert request.attributes is not None
    assert request.attributes["emafusion.decision_id"] == seen.decision_id
    assert request.attributes["gen_ai.request.model"] == seen.query.requested
    for piece in pieces:
        assert piece.attributes is not None
        assert piece.attributes["emafusion.decision_id"] == seen.decision_id
        assert piece.parent is not None
        assert request.context is not None
        assert piece.parent.span_id == request.context.span_id
        assert request.start_time is not None
        assert piece.start_time is not None
        assert request.start_time <= piece.start_time


@pytest.mark.parametrize(("session", "told"), [("talk-7", "talk-7"), ("hash:0123", None)])
def test_a_session_that_was_made_up_is_no_conversation(session: str, told: str | None) -> None:
    """The conventions ask for the client's own; ours is told by its own name."""
    attributes = spans_of(replace(outcome(), session=session))[-1].attributes
    assert attributes is not None
    assert attributes.get("gen_ai.conversation.id") == told
    assert attributes["emafusion.session"] == session


def test_it_belongs_to_the_trace_of_the_client() -> None:
    """By the header that every tracer sends."""
    came = f"00-{TRACE}-00f067aa0ba902b7-01"
    request = spans_of(replace(outcome(), tags=((TRACE_TAG, came),)))[-1]
    assert request.context is not None
    assert f"{request.context.trace_id:032x}" == TRACE


def test_words_are_told_only_where_that_is_asked_for() -> None:
    """Neither prompt nor answer is in any attribute by default."""
    seen = outcome()
    assert seen.answer.reply is not None
    words = (seen.query.prompt, seen.answer.reply.text)
    quiet = " ".join(str(dict(span.attributes or {})) for span in spans_of(seen))
    assert not any(word and word in quiet for word in words if len(word) > 3)
    loud = str(dict(spans_of(seen, content=True)[-1].attributes or {}))
    assert seen.query.prompt in loud


def test_an_unknown_figure_is_absent() -> None:
    """Never 0."""
    seen = outcome()
    unknown = replace(seen, answer=replace(seen.answer, confidence=None, baseline_usd=None))
    attributes = spans_of(unknown)[-1].attributes
    assert attributes is not None
    assert "emafusion.confidence" not in attributes
    assert "emafusion.baseline_usd" not in attributes


def test_metrics_have_the_names_of_the_conventions() -> None:
    """Durations and tokens."""
    reader = InMemoryMetricReader()
    GenAiMetrics(MeterProvider(metric_readers=[reader]), dict).answered(outcome())
    data = reader.get_metrics_data()
    assert data is not None
    names = {
        metric.name
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert {
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "gen_ai.server.request.duration",
    } <= names
