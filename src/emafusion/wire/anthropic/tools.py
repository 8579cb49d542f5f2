"""Tools and which of them to call: Anthropic's -> Tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Raw

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Tool
from emafusion.wire import faults
from emafusion.wire.anthropic.params import Prompt, ToolParam

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_NOTHING = (b"", b"null")


def tools_of(raws: list[Raw], beyond: set[str], /) -> Iterator[Tool]:
    """Read the tools that the client runs; `beyond` learns of those that the provider runs."""
    for n, raw in enumerate(raws):
        where = f"tools[{n}]"
        param = faults.decode(raw, ToolParam, where=where)
        beyond.update(_extras(param))
        if param.type not in (None, "custom"):
            beyond.add("tools")
        else:
            yield _tool(param, where)


def choice_of(params: Prompt, tools: tuple[Tool, ...], /) -> str | None:
    """Read which tool must be called: `auto`, `none`, `required`, `tool:NAME` or None."""
    choice = params.tool_choice
    if choice is None:
        return None
    if not params.tools:
        raise BadInput("needs tools to choose from", where="tool_choice")
    if choice.type != "tool":
        return {"any": "required"}.get(choice.type, choice.type)
    if choice.name is None:
        raise BadInput("is required", where="tool_choice.name")
    own_only = len(tools) == len(params.tools)
    if own_only and choice.name not in {tool.name for tool in tools}:
        raise BadInput(f"names no tool of this request: {choice.name!r}", where="tool_choice.name")
    return f"tool:{choice.name}"


def object_of(raw: Raw, where: str, /) -> bytes:
    """Take a JSON schema as it is, as long as it is an object."""
    schema = bytes(raw)
    if schema in _NOTHING:
        raise BadInput("is required", where=where)
    if not schema.startswith(b"{"):
        raise BadInput("expected a JSON schema (an object)", where=where)
    return schema


def _tool(param: ToolParam, where: str) -> Tool:
    if param.name is None:
        raise BadInput("is required", where=f"{where}.name")
    if not _NAME.fullmatch(param.name):
        what = "1 to 128 letters, digits, '_' and '-' only"
        raise BadInput(what, where=f"{where}.name")
    return Tool(
        name=param.name,
        description=param.description or "",
        schema=object_of(param.input_schema, f"{where}.input_schema"),
        strict=bool(param.strict),
    )


def _extras(param: ToolParam) -> Iterator[str]:
    """Names of what is said of a tool that other dialects have no word for."""
    used = {
        "cache_control": bytes(param.cache_control) not in _NOTHING,
        "defer_loading": bool(param.defer_loading),
        "eager_input_streaming": bool(param.eager_input_streaming),
        "input_examples": bytes(param.input_examples) not in (*_NOTHING, b"[]"),
        "allowed_callers": param.allowed_callers not in (None, ["direct"]),
    }
    yield from (name for name, is_used in used.items() if is_used)
