"""Tools and which of them to call: OpenAI's tools and functions -> Tools."""

from __future__ import annotations

from msgspec import Raw

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Tool
from emafusion.wire.openai.params import (
    AllowedTools,
    FunctionParam,
    Named,
    Params,
    ToolChoiceParam,
    ToolParam,
)


def tools_of(params: Params, /) -> tuple[Tool, ...]:
    """Read the tools, the old `functions` too; only those that `tool_choice` allows, if it says."""
    tools = [_tool(tool, f"tools[{n}]") for n, tool in enumerate(params.tools or ())]
    tools += [_function(f, f"functions[{n}]") for n, f in enumerate(params.functions or ())]
    allowed = _allowed(params)
    return tuple(tool for tool in tools if allowed is None or tool.name in allowed)


def choice_of(params: Params, tools: tuple[Tool, ...], /) -> str | None:
    """Read which tool must be called: `auto`, `none`, `required`, `tool:NAME` or None."""
    choice = _choice(params)
    where = "tool_choice" if params.tool_choice is not None else "function_call"
    if choice == "required" and not tools:
        raise BadInput("'required' needs tools to choose from", where=where)
    if choice is not None and choice.startswith("tool:"):
        name = choice.removeprefix("tool:")
        if name not in {tool.name for tool in tools}:
            raise BadInput(f"names no tool of this request: {name!r}", where=where)
    return choice


def _tool(param: ToolParam, where: str) -> Tool:
    if param.type == "custom" and param.custom is not None:
        return Tool(name=param.custom.name, description=param.custom.description or "")
    if param.type == "function" and param.function is not None:
        return _function(param.function, f"{where}.function")
    raise BadInput("is required", where=f"{where}.{param.type}")


def _function(param: FunctionParam, where: str) -> Tool:
    return Tool(
        name=param.name,
        description=param.description or "",
        schema=schema_of(param.parameters, f"{where}.parameters"),
        strict=bool(param.strict),
    )


def schema_of(raw: Raw, where: str, /) -> bytes | None:
    """Take a JSON schema as it is, as long as it is an object."""
    schema = bytes(raw)
    if schema in (b"", b"null"):
        return None
    if not schema.startswith(b"{"):
        raise BadInput("expected a JSON schema (an object)", where=where)
    return schema


def _choice(params: Params) -> str | None:
    choice = params.tool_choice
    if choice is None:
        return _legacy(params.function_call)
    if isinstance(choice, str):
        return choice
    if choice.type == "allowed_tools":
        return _listed(choice).mode
    named = choice.function if choice.type == "function" else choice.custom
    if named is None:
        raise BadInput("is required", where=f"tool_choice.{choice.type}")
    return f"tool:{named.name}"


def _legacy(choice: str | Named | None) -> str | None:
    return f"tool:{choice.name}" if isinstance(choice, Named) else choice


def _listed(choice: ToolChoiceParam) -> AllowedTools:
    if choice.allowed_tools is None:
        raise BadInput("is required", where="tool_choice.allowed_tools")
    return choice.allowed_tools


def _allowed(params: Params) -> frozenset[str] | None:
    choice = params.tool_choice
    if not isinstance(choice, ToolChoiceParam) or choice.type != "allowed_tools":
        return None
    named = [tool.function or tool.custom for tool in _listed(choice).tools]
    return frozenset(tool.name for tool in named if tool is not None)
