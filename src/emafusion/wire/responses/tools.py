"""Tools and the choice among them: the Responses API's -> chat completions'."""

from __future__ import annotations

from emafusion.domain.errors import BadInput
from emafusion.wire.responses.params import Chosen, ToolChoiceParam, ToolParam

Written = dict[str, object]


def tools_of(params: list[ToolParam], /) -> list[Written]:
    """Rewrite the tools. Raises `BadInput` for one that OpenAI would run itself."""
    return [_tool(tool, f"tools[{n}]") for n, tool in enumerate(params)]


def choice_of(choice: str | ToolChoiceParam, /) -> str | Written:
    """Rewrite which tool must be called."""
    if isinstance(choice, str):
        return choice
    if choice.type == "allowed_tools":
        if not choice.tools:
            raise BadInput("is required", where="tool_choice.tools")
        named = [_named(tool, f"tool_choice.tools[{n}]") for n, tool in enumerate(choice.tools)]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}
    return _named(choice, "tool_choice")


def _tool(tool: ToolParam, where: str) -> Written:
    if tool.type not in ("function", "custom"):
        what = f"'{tool.type[:60]}' is a tool that OpenAI hosts; here there are function and custom"
        raise BadInput(what, where=f"{where}.type")
    if tool.name is None:
        raise BadInput("is required", where=f"{where}.name")
    for name, is_set in (("defer_loading", tool.defer_loading), ("async", tool.is_async)):
        if is_set:
            raise BadInput("cannot be carried to the models here", where=f"{where}.{name}")
    if tool.allowed_callers not in (None, [], ["direct"]):
        raise BadInput("only 'direct' is had here", where=f"{where}.allowed_callers")
    written = _function(tool) if tool.type == "function" else _custom(tool)
    return {"type": tool.type, tool.type: written}


def _function(tool: ToolParam) -> Written:
    written: Written = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if bytes(tool.parameters) not in (b"", b"null"):
        written["parameters"] = tool.parameters
    if tool.strict is not None:
        written["strict"] = tool.strict
    return written


def _custom(tool: ToolParam) -> Written:
    written: Written = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.format is not None:
        written["format"] = tool.format.written()
    return written


def _named(choice: Chosen | ToolChoiceParam, where: str) -> Written:
    if choice.type not in ("function", "custom"):
        what = f"'{choice.type[:60]}' is a tool that OpenAI hosts, which is not had here"
        raise BadInput(what, where=f"{where}.type")
    if not choice.name:
        raise BadInput("is required", where=f"{where}.name")
    return {"type": choice.type, choice.type: {"name": choice.name}}
