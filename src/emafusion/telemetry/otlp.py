"""OpenTelemetry's SDK set up: exporters in threads of their own. Needs the extra `otel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from emafusion.domain.model import Candidate
from emafusion.telemetry.gen_ai import GenAiMetrics
from emafusion.telemetry.spans import Spans
from emafusion.telemetry.watch import Watcher
from emafusion.version import __version__


def open_otlp(
    env: Mapping[str, str],
    candidates: Callable[[], Mapping[str, Candidate]],
    *,
    content: bool,
    closing: ExitStack,
) -> tuple[Watcher, ...]:
    """Spans and metrics, each where an endpoint is named for it; `closing` sends what is left."""
    named = {"service.version": __version__}
    if not env.get("OTEL_SERVICE_NAME"):
        named["service.name"] = "emafusion"
    resource, watchers = Resource.create(named), list[Watcher]()
    everything = bool(env.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    if everything or env.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        traces = TracerProvider(resource=resource)
        traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        closing.callback(traces.shutdown)
        watchers.append(Spans(provider=traces, candidates=candidates, content=content))
    if everything or env.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"):
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        metrics = MeterProvider(metric_readers=[reader], resource=resource)
        closing.callback(metrics.shutdown)
        watchers.append(GenAiMetrics(metrics, candidates))
    return tuple(watchers)
