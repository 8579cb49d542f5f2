"""How much to think: OpenAI's `reasoning_effort` as Gemini's level or budget.

The budgets are those of Google's own OpenAI-compatible endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.domain.command import Call
from emafusion.wire.gemini.generation import generation_of

_BUDGETS: Mapping[str, int] = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192}
_HIGH_BUDGET = 24576
_LEAST_PRO_BUDGET = 128
_LEVELS: Mapping[str, str] = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
}


def thinking_of(call: Call, /) -> dict[str, object] | None:
    """Give `thinkingConfig`; None where the query does not say or the model cannot."""
    effort = call.query.settings.reasoning_effort
    if effort is None or "reasoning" not in call.candidate.model.abilities:
        return None
    name = call.candidate.remote_name
    if generation_of(name) < (3, 0):
        least = _LEAST_PRO_BUDGET if "pro" in name else 0
        return {"thinkingBudget": max(least, _BUDGETS.get(effort, _HIGH_BUDGET))}
    level = _LEVELS.get(effort, "high")
    if "pro" in name:
        level = _pro_level(level, name)
    return {"thinkingLevel": level}


def _pro_level(level: str, name: str) -> str:
    """Take the next level that a Pro model has: never minimal, and medium only since 3.1."""
    if level == "minimal":
        return "low"
    return "high" if level == "medium" and generation_of(name) == (3, 0) else level
