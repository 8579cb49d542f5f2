"""What a client is told about its answer: headers, and the same in the last chunk of a stream."""

from __future__ import annotations

from msgspec import Raw, json

from emafusion.domain.outcome import RELATIVE, Outcome
from emafusion.gateway.account import account

Facts = dict[str, str | float | int | Raw]
"""By name; a `Raw` is JSON, and in bodies alone."""

EXPLAIN = ("explain", "response")
"""The tag of an outcome whose client wants to be told how the answer came about."""


def facts(outcome: Outcome) -> Facts:
    """Facts of an outcome by name; what is unknown is absent, never 0."""
    answer = outcome.answer
    cost_usd, baseline_usd = answer.evidence.cost_usd, answer.baseline_usd
    told: Facts = {"decision_id": outcome.decision_id}
    if answer.candidate is not None:
        told["model"] = answer.candidate
    told["route"] = answer.route
    told["attempts"] = len(answer.evidence.attempts)
    if answer.confidence is not None:
        is_relative = RELATIVE in outcome.tags
        name = "relative_confidence" if is_relative else "confidence"
        told[name] = round(answer.confidence, 4)
    if cost_usd is not None:
        told["cost_usd"] = round(cost_usd, 9)
        if baseline_usd is not None:
            told["saved_usd"] = round(baseline_usd - cost_usd, 9)
    told["overhead_ms"] = round(outcome.overhead_ms, 3)
    for name, value in outcome.tags:
        if name == "dropped":
            told[name] = value
    if EXPLAIN in outcome.tags:
        relative = RELATIVE in outcome.tags
        told["explanation"] = Raw(json.encode(account(answer, relative=relative)))
    return told


def headers(told: Facts) -> tuple[tuple[str, str], ...]:
    """Facts as response headers.

    >>> headers({"decision_id": "em-1", "cost_usd": 0.000012})
    (('x-emafusion-decision-id', 'em-1'), ('x-emafusion-cost-usd', '0.000012'))
    """
    return tuple(
        [(_HEADERS[name], _text(value)) for name, value in told.items() if type(value) is not Raw]
    )


_NAMES = (
    "decision_id", "model", "route", "attempts", "confidence", "relative_confidence", "cost_usd",
    "saved_usd", "overhead_ms", "dropped",
)  # fmt: skip
_HEADERS = {name: f"x-emafusion-{name.replace('_', '-')}" for name in _NAMES}


def _text(value: str | float | Raw) -> str:
    """Plain decimals: a reader of headers should not meet 1.2e-05."""
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".") or "0"
    return str(value)
