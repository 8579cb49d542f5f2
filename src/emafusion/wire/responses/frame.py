"""A response object: what was asked, repeated, around what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from msgspec import Raw, Struct

from emafusion.domain.attempt import FinishReason, Usage
from emafusion.domain.errors import EmafusionError
from emafusion.wire.openai.errors import status_of
from emafusion.wire.responses.inbound import Asked

Item = Mapping[str, object]
Extras = Mapping[str, str | float | int | Raw]

NO_EXTRAS: Extras = MappingProxyType({})
_CUT: Mapping[FinishReason, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
_REPEATED: Mapping[str, object] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": None,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "user": None,
}
"""Fields of the request that the response repeats, and what stands for their absence."""

_NULL = Raw(b"null")


class Frame(Struct, frozen=True, kw_only=True):
    """What is the same in every state of one response.

    `key`: what its id and those of its items are made of; `created_at`: Unix seconds; `model`: who
    answers; `store`: whether it is kept.
    """

    key: str
    created_at: int
    model: str
    asked: Asked
    store: bool

    @property
    def id(self) -> str:
        """Id of the response."""
        return f"resp_{self.key}"

    def item_id(self, kind: str, index: int) -> str:
        """Id of an item of the output, by which the response can be found too."""
        return f"{kind}_{self.key}_{index}"

    @property
    def wants_logprobs(self) -> bool:
        """Whether log-probabilities were asked for."""
        params = self.asked.params
        return "message.output_text.logprobs" in (params.include or ()) or bool(params.top_logprobs)

    @property
    def wants_sealed(self) -> bool:
        """Whether thoughts are to come in a form that a client sends back."""
        return "reasoning.encrypted_content" in (self.asked.params.include or ())

    @property
    def wants_summary(self) -> bool:
        """Whether thoughts are to come as a summary rather than as they are."""
        thinking = self.asked.params.reasoning
        return thinking is not None and bool(thinking.summary or thinking.generate_summary)

    @property
    def custom_tools(self) -> frozenset[str]:
        """Names of the tools that take free text."""
        tools = self.asked.params.tools or ()
        return frozenset(tool.name or "" for tool in tools if tool.type == "custom")

    def begun(self) -> dict[str, object]:
        """The response before anything came of it."""
        return self._object("in_progress", ())

    def ended(
        self,
        output: Sequence[Item],
        *,
        finish: FinishReason,
        usage: Usage | None,
        completed_at: int,
        extras: Extras = NO_EXTRAS,
    ) -> dict[str, object]:
        """The response with its output: completed, or incomplete where it was cut.

        `usage`: of the whole answer.
        """
        why = _CUT.get(finish)
        fields = self._object("completed" if why is None else "incomplete", output)
        fields["usage"] = None if usage is None else usage_object(usage)
        if why is None:
            fields["completed_at"] = completed_at
        else:
            fields["incomplete_details"] = {"reason": why}
        if extras:
            fields["emafusion"] = extras
        return fields

    def failed(self, output: Sequence[Item], error: EmafusionError) -> dict[str, object]:
        """The response that broke off."""
        fields = self._object("failed", output)
        fields["error"] = {"code": _code(error), "message": str(error)}
        return fields

    def _object(self, status: str, output: Sequence[Item]) -> dict[str, object]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "background": False,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "model": self.model,
            "output": output,
            "usage": None,
            "store": self.store,
            "truncation": "disabled",
            **dict(self._repeated()),
        }

    def _repeated(self) -> Iterator[tuple[str, object]]:
        given = dict(self.asked.fields)
        for name, absent in _REPEATED.items():
            value = given.get(name, b"null")
            yield name, absent if value == b"null" else Raw(value)
        params = self.asked.params
        thinking, text = params.reasoning, params.text
        effort = None if thinking is None else thinking.effort
        summary = None if thinking is None else thinking.summary or thinking.generate_summary
        yield "reasoning", {"effort": effort, "summary": summary}
        shape = {"format": {"type": "text"}, "verbosity": text.verbosity if text else None}
        yield "text", shape if text is None or text.format is None else Raw(given["text"])


def usage_object(usage: Usage) -> dict[str, object]:
    """Token counts by the names that this API has for them."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_prompt_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _code(error: EmafusionError) -> str:
    """One of the few codes that a response's error may have."""
    status = status_of(error)
    if status == 429:
        return "rate_limit_exceeded"
    return "invalid_prompt" if 400 <= status < 499 else "server_error"
