"""OpenTelemetry switched on by the environment, as everywhere: no endpoint, nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

from emafusion.domain.errors import Unready
from emafusion.domain.model import Candidate
from emafusion.telemetry.watch import Watcher

ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)


def is_asked_for(env: Mapping[str, str]) -> bool:
    """Whether the environment names an endpoint, and does not switch all of it off."""
    off = env.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not off and any(env.get(name) for name in ENDPOINTS)


def exporters(
    env: Mapping[str, str],
    candidates: Callable[[], Mapping[str, Candidate]],
    *,
    content: bool,
    closing: ExitStack,
) -> tuple[Watcher, ...]:
    """Watchers that send spans and metrics by OTLP over HTTP; `closing` sends what is left.

    Where to, with which headers and under which service name is the SDK's own business, by its
    usual variables. Raises `Unready` where the extra is not installed.
    """
    if not is_asked_for(env):
        return ()
    try:
        from emafusion.telemetry.otlp import open_otlp
    except ModuleNotFoundError as error:
        what = f"the environment asks for OpenTelemetry, and {error.name} is not installed"
        raise Unready(f"{what}: pip install 'emafusion[otel]'") from error
    return open_otlp(env, candidates, content=content, closing=closing)
