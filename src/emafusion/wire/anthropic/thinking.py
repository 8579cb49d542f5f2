"""How much to think: OpenAI's `reasoning_effort` in Anthropic's two ways of saying it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emafusion.domain.command import Call
from emafusion.wire.anthropic.generation import generation_of

_LEAST_BUDGET = 1024
_BUDGETS: Mapping[str, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32768,
    "max": 32768,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """What to send: the field `thinking`, and `output_config.effort`."""

    field: Mapping[str, object] | None = None
    effort: str | None = None


def thinking_of(call: Call, max_tokens: int, /) -> Thinking:
    """Say how much to think; nothing where the query does not say or the model cannot.

    A budget is at most half of `max_tokens`, so that an answer fits behind it; it must be at least
    1024, and cannot go together with a tool that must be called.
    """
    effort = call.query.settings.reasoning_effort
    if effort is None or "reasoning" not in call.candidate.model.abilities:
        return Thinking()
    generation = generation_of(call.candidate.remote_name)
    if generation.adaptive:
        return _adaptive(effort, extra=generation.extra_effort)
    budget = min(_BUDGETS.get(effort, 0), max_tokens // 2)
    if budget < _LEAST_BUDGET or _must_call(call):
        return Thinking()
    return Thinking(field={"type": "enabled", "budget_tokens": budget})


def _adaptive(effort: str, *, extra: bool) -> Thinking:
    if effort in ("none", "minimal"):
        # Newer models refuse to be told not to think at all; the lowest effort comes next.
        return Thinking(effort="low")
    if effort == "xhigh" and not extra:
        effort = "high"
    return Thinking(field={"type": "adaptive"}, effort=effort)


def _must_call(call: Call) -> bool:
    choice = call.query.settings.tool_choice or ""
    return choice == "required" or choice.startswith("tool:")
