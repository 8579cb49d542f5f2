"""Hard checks of tool calls: the tool exists, its arguments fit, the caller's wish is kept."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query, Tool, ToolCall
from emafusion.judge.reading import read_json
from emafusion.judge.schema import misfit
from emafusion.judge.verdict import ABSTAIN, Verdict, bad, ok

_MAX_CALLS = 128


def tools_fit(query: Query, reply: Reply) -> Verdict:
    """Bad: a call to a tool that does not exist, or with arguments that misfit its schema.

    Ok: all calls are to known tools, with arguments that parse and fit.
    """
    calls = reply.tool_calls[:_MAX_CALLS]
    if not calls:
        return ABSTAIN
    tools = {tool.name: tool for tool in query.tools}
    verdicts = [_call_fits(call, tools.get(call.name)) for call in calls]
    faults = [v for v in verdicts if v.outcome == "bad"]
    if faults:
        return faults[0]
    return ABSTAIN if ABSTAIN in verdicts else ok("all tool calls fit")


def _call_fits(call: ToolCall, tool: Tool | None) -> Verdict:
    if tool is None:
        return bad(f"no tool is called {call.name[:60]!r}")
    arguments = read_json(call.arguments or "{}")
    if arguments is None or not isinstance(arguments.value, dict):
        return bad(f"arguments of {call.name!r} are not a JSON object")
    if tool.schema is None:
        return ABSTAIN
    reason = misfit(tool.schema, arguments.value)
    if reason is None:
        return ABSTAIN
    return bad(f"arguments of {call.name!r}: {reason}") if reason else ok("fits")


def choice_kept(query: Query, reply: Reply) -> Verdict:
    """Bad: a required call is missing, another tool was called, or one was called unwanted."""
    wish, names = query.settings.tool_choice, [call.name for call in reply.tool_calls]
    if wish == "required" and not names:
        return bad("a tool call was required, none came")
    if wish == "none" and names:
        return bad("no tool call was wanted, one came")
    if wish is not None and wish.startswith("tool:") and set(names) != {wish[5:]}:
        return bad(f"a call to {wish[5:]!r} was required")
    if query.settings.parallel_tool_calls is False and len(names) > 1:
        return bad("several tool calls where one at a time was wanted")
    return ABSTAIN


def not_repeated(query: Query, reply: Reply) -> Verdict:
    """Bad: the same call twice in the reply, or the very call whose result is the last turn."""
    now = [_identity(call) for call in reply.tool_calls[:_MAX_CALLS]]
    if len(set(now)) < len(now):
        return bad("the same tool call twice in one reply")
    if now and query.answers_tool_call and set(now) <= set(_last_calls(query)):
        return bad("repeats the tool call that has just been answered")
    return ABSTAIN


def _last_calls(query: Query) -> Iterator[tuple[str, str]]:
    for message in reversed(query.messages):
        if message.role == "assistant":
            yield from (_identity(call) for call in message.tool_calls[:_MAX_CALLS])
            return


def _identity(call: ToolCall) -> tuple[str, str]:
    parsed = read_json(call.arguments)
    return call.name, repr(parsed.value) if parsed else call.arguments
