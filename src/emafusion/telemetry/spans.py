"""OpenTelemetry: a span for each request, below it one for each call and each judge's opinion.

Made of outcomes after the fact, with the times that were measured. Where the client sent a
`traceparent`, the request's span belongs to that trace. Needs the extra `otel`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Outcome
from emafusion.telemetry.attributes import (
    Attributes,
    of_attempt,
    of_content,
    of_judgement,
    of_request,
)

TRACE_TAG = "traceparent"
"""Name of the tag under which an outcome holds the trace that its request came in."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spans:
    """Makes spans. `content`: whether what was said is told too; `candidates`: the pool by name."""

    provider: TracerProvider
    candidates: Callable[[], Mapping[str, Candidate]]
    content: bool = False

    def answered(self, outcome: Outcome, /) -> None:
        """Tell a request and all that was done for it."""
        told = of_request(outcome)
        if self.content:
            told |= of_content(outcome.query, outcome)
        tracer = self.provider.get_tracer("emafusion")
        began = outcome.created_at
        span = tracer.start_span(
            f"chat {outcome.query.requested}"[:120],
            context=_parent(outcome),
            kind=SpanKind.SERVER,
            attributes=told,
            start_time=_ns(began),
        )
        _mark(span, failed=outcome.answer.failure is not None)
        within = trace.set_span_in_context(span)
        for piece in self._pieces(outcome):
            child = tracer.start_span(
                piece.name,
                context=within,
                kind=SpanKind.CLIENT,
                attributes={"emafusion.decision_id": outcome.decision_id, **piece.told},
                start_time=_ns(piece.began),
            )
            _mark(child, failed="error.type" in piece.told)
            child.end(_ns(piece.began + piece.latency_s))
        span.end(_ns(began + outcome.latency_s))

    def refused(self, status: int, code: str, /) -> None:
        """A request that nobody was asked for has no span."""

    def _pieces(self, outcome: Outcome) -> list[_Piece]:
        """Calls, then judges: one after the other, or together where that would take too long."""
        evidence, pool = outcome.answer.evidence, self.candidates()
        pieces = [
            _Piece(f"chat {a.candidate}", of_attempt(a, pool.get(a.candidate)), 0.0, a.latency_s)
            for a in evidence.calls
        ]
        pieces += [
            _Piece(f"judge {j.judge}", of_judgement(j), 0.0, j.latency_s) for j in evidence.opinions
        ]
        in_turn = sum(piece.latency_s for piece in pieces) <= outcome.latency_s
        at = outcome.created_at
        for piece in pieces:
            piece.began = at
            at += piece.latency_s if in_turn else 0.0
        return pieces


@dataclass(slots=True)
class _Piece:
    name: str
    told: Attributes
    began: float
    latency_s: float


def _parent(outcome: Outcome) -> Context | None:
    came = next((value for name, value in outcome.tags if name == TRACE_TAG), None)
    if came is None:
        return None
    return TraceContextTextMapPropagator().extract({TRACE_TAG: came})


def _mark(span: Span, *, failed: bool) -> None:
    span.set_status(Status(StatusCode.ERROR if failed else StatusCode.UNSET))


def _ns(unix_s: float) -> int:
    return int(unix_s * 1e9)
