"""OpenTelemetry's metrics for generative AI, counted from outcomes. Needs the extra `otel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.sdk.metrics import MeterProvider

from emafusion.domain.attempt import Attempt
from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Outcome


class GenAiMetrics:
    """Durations and tokens of calls, durations of requests. `candidates`: the pool by name."""

    def __init__(
        self, provider: MeterProvider, candidates: Callable[[], Mapping[str, Candidate]]
    ) -> None:
        meter = provider.get_meter("emafusion")
        self._candidates = candidates
        self._call = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
        self._first = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk", unit="s"
        )
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")
        self._request = meter.create_histogram("gen_ai.server.request.duration", unit="s")

    def answered(self, outcome: Outcome, /) -> None:
        """Count a request and its calls."""
        labels = {"gen_ai.operation.name": "chat"}
        if outcome.answer.failure is not None:
            labels["error.type"] = outcome.answer.failure.code
        self._request.record(outcome.latency_s, labels)
        for attempt in outcome.answer.evidence.calls:
            self._attempt(attempt)

    def refused(self, status: int, code: str, /) -> None:
        """A request that nobody was asked for has no duration worth telling."""

    def _attempt(self, attempt: Attempt) -> None:
        known = self._candidates().get(attempt.candidate)
        labels = {"gen_ai.operation.name": "chat", "gen_ai.request.model": attempt.candidate}
        if known is not None:
            labels["gen_ai.provider.name"] = known.model.provider
        if attempt.failure is not None:
            labels["error.type"] = attempt.failure.code
        self._call.record(attempt.latency_s, labels)
        if attempt.ttft_s is not None:
            self._first.record(attempt.ttft_s, labels)
        if attempt.reply is not None and attempt.reply.usage is not None:
            usage = attempt.reply.usage
            self._tokens.record(usage.prompt_tokens, labels | {"gen_ai.token.type": "input"})
            self._tokens.record(usage.completion_tokens, labels | {"gen_ai.token.type": "output"})
