"""How to generate and in which shape: OpenAI's parameters -> Settings and Format."""

from __future__ import annotations

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Format, Settings, Tool
from emafusion.wire.openai.params import FormatParam, Params
from emafusion.wire.openai.tools import choice_of, schema_of


def settings_of(params: Params, tools: tuple[Tool, ...], /) -> Settings:
    """Read the settings; `max_completion_tokens` goes before the older `max_tokens`."""
    if params.top_logprobs is not None and not params.logprobs:
        raise BadInput("needs 'logprobs' to be true", where="top_logprobs")
    newer = params.max_completion_tokens
    return Settings(
        max_tokens=params.max_tokens if newer is None else newer,
        temperature=params.temperature,
        top_p=params.top_p,
        n=params.n or 1,
        stop=_stop(params.stop),
        seed=params.seed,
        logprobs=bool(params.logprobs),
        top_logprobs=params.top_logprobs,
        tool_choice=choice_of(params, tools),
        parallel_tool_calls=params.parallel_tool_calls,
        reasoning_effort=params.reasoning_effort,
    )


def format_of(param: FormatParam | None, /) -> Format:
    """Read the asked shape of the answer."""
    if param is None or param.type == "text":
        return Format()
    if param.type == "json_object":
        return Format(kind="json_object")
    schema = param.json_schema
    if schema is None:
        raise BadInput("is required", where="response_format.json_schema")
    return Format(
        kind="json_schema",
        name=schema.name,
        schema=schema_of(schema.schema, "response_format.json_schema.schema"),
        strict=bool(schema.strict),
    )


def _stop(stop: str | list[str] | None) -> tuple[str, ...]:
    if stop is None:
        return ()
    return (stop,) if isinstance(stop, str) else tuple(stop)
