"""Quoting text for a model that must read it as data, whatever it says."""

from __future__ import annotations

import hashlib

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Message, Query

MAX_TASK, MAX_ANSWER = 8_000, 12_000


def fence_for(query_id: str, *texts: str) -> str:
    """A mark that none of the texts holds, the same every time for the same input.

    It hangs on a hash of the texts themselves: a text would have to contain its own hash to close
    its fence.

    >>> fence_for("q1", "an answer") == fence_for("q1", "an answer") != fence_for("q1", "another")
    True
    """
    digest = hashlib.sha256("\0".join((query_id, *texts)).encode("utf-8", "surrogatepass"))
    mark = digest.hexdigest()[:24]
    while any(mark in text for text in texts):
        mark = hashlib.sha256(mark.encode()).hexdigest()[:24]
    return mark


def quoted(label: str, text: str, mark: str) -> str:
    """The text between two lines that carry the mark."""
    return f"<{label} {mark}>\n{text}\n</{label} {mark}>"


def shortened(text: str, limit: int) -> str:
    r"""Head and tail of a long text, two parts to one, with a note of what was left out.

    >>> shortened("a" * 30, 9)
    'aaaaaa\n[... 21 characters left out ...]\naaa'
    """
    if len(text) <= limit:
        return text
    tail = limit // 3
    head = limit - tail
    return f"{text[:head]}\n[... {len(text) - limit} characters left out ...]\n{text[-tail:]}"


def task_text(query: Query) -> str:
    """The conversation as plain text, each turn after its role; tools by name only."""
    turns = [_turn(message) for message in query.messages]
    tools = ", ".join(tool.name for tool in query.tools)
    return shortened("\n".join(turns) + (f"\nTools: {tools}" if tools else ""), MAX_TASK)


def answer_text(reply: Reply) -> str:
    """The first choice as plain text, tool calls as one line each."""
    choice = reply.choices[0]
    calls = [f"call {call.name}({call.arguments})" for call in choice.tool_calls]
    return shortened("\n".join([choice.text, *calls] if choice.text else calls), MAX_ANSWER)


def _turn(message: Message) -> str:
    calls = [f"call {call.name}({call.arguments})" for call in message.tool_calls]
    return f"{message.role}: " + "\n".join([message.text, *calls])
