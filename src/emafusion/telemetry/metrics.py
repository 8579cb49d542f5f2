"""Prometheus metrics: outcomes counted, and the page that is scraped."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

from prometheus_client import CollectorRegistry, generate_latest, multiprocess

from emafusion.domain.attempt import Attempt, Usage
from emafusion.domain.outcome import Outcome
from emafusion.telemetry.instruments import Instruments
from emafusion.telemetry.now import Now
from emafusion.telemetry.together import SHARED, forget_the_dead
from emafusion.version import __version__


class Metrics:
    """Counts outcomes.

    `shared`: several processes count into the folder that `PROMETHEUS_MULTIPROC_DIR` names, and
    each tells the sum of all.
    """

    def __init__(self, *, shared: bool = False) -> None:
        self._registry = CollectorRegistry()
        self._shared = shared
        self._count = Instruments(None if shared else self._registry)

    def answered(self, outcome: Outcome, /) -> None:
        """Count a request and all that was done for it."""
        answer, count = outcome.answer, self._count
        name = answer.candidate or ("fused" if answer.fused else "none")
        count.requests.labels(answer.route, name, str(outcome.status)).inc()
        count.seconds.labels(answer.route).observe(outcome.latency_s)
        count.overhead.observe(outcome.overhead_ms / 1000.0)
        if answer.confidence is not None:
            count.confidence.observe(answer.confidence)
        if len(answer.evidence.attempts) > 1:
            count.escalated.inc()
        for attempt in answer.evidence.calls:
            self._attempt(attempt)
        self._judges(outcome)
        self._money(outcome)

    def refused(self, status: int, code: str, /) -> None:
        """Count a request that was turned away."""
        self._count.refused.labels(str(status), code).inc()

    def page(self, now: Now) -> bytes:
        """Everything, in Prometheus' text format."""
        count = self._count
        count.under_way.set(now.under_way)
        count.lost.set(now.lost)
        count.missed.set(now.missed)
        for name, rests in now.resting.items():
            count.resting.labels(name).set(float(rests))
        count.info.labels(__version__, now.artifact).set(1.0)
        if not self._shared:
            return generate_latest(self._registry)
        forget_the_dead(Path(os.environ[SHARED]))
        whole = CollectorRegistry()
        collector = cast(
            "Callable[[CollectorRegistry], object]", multiprocess.MultiProcessCollector
        )
        collector(whole)  # registers itself
        return generate_latest(whole)

    def _attempt(self, attempt: Attempt) -> None:
        count, name = self._count, attempt.candidate
        result = "answered" if attempt.failure is None else attempt.failure.code
        count.attempts.labels(name, result).inc()
        count.attempt_seconds.labels(name).observe(attempt.latency_s)
        if attempt.ttft_s is not None:
            count.first_token.labels(name).observe(attempt.ttft_s)
        if attempt.cost_usd:
            count.cost.labels(name).inc(attempt.cost_usd)
        if attempt.reply is not None and attempt.reply.usage is not None:
            for kind, tokens in kinds_of(attempt.reply.usage):
                count.tokens.labels(name, kind).inc(tokens)

    def _judges(self, outcome: Outcome) -> None:
        for judgement in outcome.answer.evidence.opinions:
            result = "abstained" if judgement.value is None else "judged"
            self._count.judgements.labels(judgement.judge, result).inc()
            if judgement.cost_usd:
                self._count.cost.labels(f"judge:{judgement.judge}").inc(judgement.cost_usd)

    def _money(self, outcome: Outcome) -> None:
        cost_usd = outcome.answer.evidence.cost_usd
        if cost_usd is None:
            self._count.unpriced.inc()
        elif outcome.answer.baseline_usd is not None:
            saved_usd = outcome.answer.baseline_usd - cost_usd
            (self._count.saved if saved_usd > 0 else self._count.extra).inc(abs(saved_usd))


def kinds_of(usage: Usage) -> tuple[tuple[str, int], ...]:
    """Tokens by kind, those that there were; kinds do not overlap.

    >>> kinds_of(Usage(prompt_tokens=10, cached_prompt_tokens=4, completion_tokens=3))
    (('input', 6), ('cached_input', 4), ('output', 3))
    """
    cached, written = usage.cached_prompt_tokens, usage.cache_write_tokens
    fresh = max(usage.prompt_tokens - cached - written, 0)
    kinds = (
        ("input", fresh),
        ("cached_input", cached),
        ("cache_write", written),
        ("output", max(usage.completion_tokens - usage.reasoning_tokens, 0)),
        ("reasoning", usage.reasoning_tokens),
    )
    return tuple((kind, tokens) for kind, tokens in kinds if tokens)
