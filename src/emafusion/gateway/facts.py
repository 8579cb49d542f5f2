"""What a client is told about its answer: headers, and the same in the last chunk of a stream."""

from __future__ import annotations

from msgspec import json

from emafusion.domain.outcome import Outcome

Facts = dict[str, str | float | int]


def facts(outcome: Outcome) -> Facts:
    """Facts of an outcome by name; what is unknown is absent, never 0."""
    answer = outcome.answer
    cost_usd, baseline_usd = answer.evidence.cost_usd, answer.baseline_usd
    told: dict[str, str | float | int | None] = {
        "decision_id": outcome.decision_id,
        "model": answer.candidate,
        "route": answer.route,
        "attempts": len(answer.evidence.attempts),
        "confidence": _rounded(answer.confidence, 4),
        "cost_usd": _rounded(cost_usd, 9),
        "saved_usd": _rounded(_difference(baseline_usd, cost_usd), 9),
        "overhead_ms": _rounded(outcome.overhead_ms, 3),
        "dropped": dict(outcome.tags).get("dropped"),
    }
    return {name: value for name, value in told.items() if value is not None}


def headers(told: Facts) -> tuple[tuple[str, str], ...]:
    """Facts as response headers.

    >>> headers({"decision_id": "em-1", "cost_usd": 0.000012})
    (('x-emafusion-decision-id', 'em-1'), ('x-emafusion-cost-usd', '0.000012'))
    """
    return tuple((f"x-emafusion-{name.replace('_', '-')}", _text(told[name])) for name in told)


def extras(told: Facts) -> tuple[tuple[str, bytes], ...]:
    """Facts as JSON values, for the object `emafusion` in a body."""
    return tuple((name, json.encode(value)) for name, value in told.items())


def _text(value: str | float) -> str:
    """Plain decimals: a reader of headers should not meet 1.2e-05."""
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".") or "0"
    return str(value)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _difference(baseline_usd: float | None, cost_usd: float | None) -> float | None:
    return None if baseline_usd is None or cost_usd is None else baseline_usd - cost_usd
