"""The metrics by name: what is counted, in which unit, by which labels.

Labels have few values: names of the pool's models, statuses, kinds. Never what a client sent.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
OWN_SECONDS = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1.0)
TENTHS = tuple(round(0.1 * n, 1) for n in range(1, 11))


class Instruments:
    """All metrics, on one registry."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"emafusion_{name}", what, labels, registry=registry)

        def histogram(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            whole = f"emafusion_{name}"
            return Histogram(whole, what, labels, buckets=buckets, registry=registry)

        def gauge(name: str, what: str, *labels: str, mode: str = "livesum") -> Gauge:
            whole = f"emafusion_{name}"
            return Gauge(whole, what, labels, registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type] # the library takes a literal

        self.requests = counter(
            "requests", "Requests that were decided, by who answered", "route", "model", "status"
        )
        self.refused = counter("refused", "Requests turned away unread", "status", "code")
        self.seconds = histogram("request_seconds", "Time of a request", SECONDS, "route")
        self.overhead = histogram(
            "overhead_seconds", "The gateway's own part of that time, waits taken off", OWN_SECONDS
        )
        self.first_token = histogram(
            "first_token_seconds", "Time to the first token of a call", SECONDS, "model"
        )
        self.attempts = counter("attempts", "Calls of models", "model", "result")
        self.attempt_seconds = histogram("attempt_seconds", "Time of a call", SECONDS, "model")
        self.tokens = counter("tokens", "Tokens as the providers counted them", "model", "kind")
        self.cost = counter("cost_usd", "US dollars spent on calls and judges", "model")
        self.saved = counter("saved_usd", "US dollars less than the best single model would cost")
        self.extra = counter(
            "extra_usd", "US dollars more than the best single model would cost, where it was so"
        )
        self.unpriced = counter("unpriced", "Requests of which the cost is not known")
        self.judgements = counter("judgements", "Opinions of judges", "judge", "result")
        self.escalated = counter("escalated", "Requests for which more than one answer was asked")
        self.confidence = histogram("confidence", "Confidence of the answers given", TENTHS)
        self.under_way = gauge("under_way", "Requests being answered")
        self.lost = gauge("log_lost", "Outcomes that could not be written into the log")
        self.missed = gauge("metrics_missed", "Outcomes that were not counted here")
        self.resting = gauge("model_resting", "1 while a model is not called", "model", mode="max")
        self.info = gauge(
            "build_info", "1; version and artifact", "version", "artifact", mode="max"
        )
