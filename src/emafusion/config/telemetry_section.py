"""What the gateway tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from emafusion.config.keys import Key, Section

LineFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySection(Section):
    """Metrics, spans and lines. Where spans go is said by the usual OTEL_ variables."""

    metrics: Annotated[bool, Key("whether /metrics is there, for Prometheus")] = True
    lines: Annotated[
        LineFormat, Key("how messages are written: text = for people, json = one object a line")
    ] = "text"
    requests: Annotated[bool, Key("whether each request is told in a line, without its words")] = (
        False
    )
    content: Annotated[
        bool, Key("whether spans hold what was asked and answered; mind whose words they are")
    ] = False


QUIET = TelemetrySection()
"""Metrics for those who ask, nothing else."""
