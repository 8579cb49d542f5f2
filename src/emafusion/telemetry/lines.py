"""Structured lines: one JSON object a message, and one a request where that is asked for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from msgspec import json
from typing_extensions import override

from emafusion.domain.outcome import Outcome

REQUESTS = logging.getLogger("emafusion.requests")

Value = str | int | float | None


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: time, level, message, and what `extra` holds."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback becomes a field."""
        line: dict[str, Value] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        facts: dict[str, Value] = getattr(record, "facts", {})
        line |= facts
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.encode(line).decode()


def tell_in(lines: str, *, requests: bool) -> None:
    """Have our own messages written to the error stream, as `text` or `json`.

    `requests`: those about single requests too.
    """
    handler = logging.StreamHandler()
    as_text = logging.Formatter("%(levelname)s: %(message)s")
    handler.setFormatter(JsonLines() if lines == "json" else as_text)
    own = logging.getLogger("emafusion")
    own.handlers, own.propagate = [handler], False
    REQUESTS.setLevel(logging.INFO if requests else logging.WARNING)


class RequestLines:
    """Tells each request in a line: what was decided and what it took, never what was said."""

    def answered(self, outcome: Outcome, /) -> None:
        """Tell a request."""
        told = facts_of(outcome)
        name = told["model"] or "nobody"
        text = f"{outcome.decision_id} {outcome.status} by {name} in {outcome.latency_s:.2f} s"
        REQUESTS.info(text, extra={"facts": told})

    def refused(self, status: int, code: str, /) -> None:
        """Tell that a request was turned away."""
        told: dict[str, Value] = {"status": status, "code": code}
        REQUESTS.info(f"{status} {code}", extra={"facts": told})


def facts_of(outcome: Outcome) -> dict[str, Value]:
    """What is told of a request, by name; null where it is unknown."""
    answer = outcome.answer
    return {
        "decision_id": outcome.decision_id,
        "requested": outcome.query.requested,
        "model": answer.candidate,
        "route": answer.route,
        "status": outcome.status,
        "failure": None if answer.failure is None else answer.failure.code,
        "attempts": len(answer.evidence.attempts),
        "confidence": answer.confidence,
        "cost_usd": answer.evidence.cost_usd,
        "baseline_usd": answer.baseline_usd,
        "latency_s": outcome.latency_s,
        "overhead_ms": outcome.overhead_ms,
        "session": outcome.session,
        "key_id": outcome.key_id,
    }
