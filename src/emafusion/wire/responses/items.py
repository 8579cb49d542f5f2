"""Items of a conversation -> messages of a chat completion.

The Responses API cuts a turn of the assistant into items (what it thought, said and called); chat
completions have one message for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from emafusion.domain.errors import BadInput
from emafusion.wire.responses.params import ItemParam
from emafusion.wire.responses.pieces import parts_of
from emafusion.wire.responses.thought import thought_of

Message = dict[str, object]


class Items:
    """Puts messages together, item by item; `messages` is what they amount to."""

    __slots__ = ("_called", "_calls", "_turn", "messages")

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._turn: Message | None = None
        self._called: list[Message] = []  # by the open turn
        self._calls: dict[str, str] = {}  # not answered yet, with their places

    def add(self, items: Sequence[ItemParam], where: str = "input") -> None:
        """Take items in their order. Raises `BadInput` with the place of the one that is wrong."""
        for number, item in enumerate(items):
            self._add(item, f"{where}[{number}]")

    def end(self) -> None:
        """All items have come: raise `BadInput` for a call that nobody answered."""
        for call_id, place in self._calls.items():
            what = f"no output of the call '{call_id[:80]}' is among the items"
            raise BadInput(what, where=place)

    def _add(self, item: ItemParam, where: str) -> None:
        match item.type:
            case "message":
                self._message(item, where)
            case "function_call":
                self._call(item, where, {"type": "function", "function": _function(item, where)})
            case "custom_tool_call":
                custom = {"name": _text(item.name, f"{where}.name"), "input": item.input or ""}
                self._call(item, where, {"type": "custom", "custom": custom})
            case "function_call_output" | "custom_tool_call_output":
                self._output(item, where)
            case "reasoning":
                self._thought(item, where)
            case "item_reference":
                raise BadInput("this item is not kept here; send the item itself", where=where)
            case other:
                raise BadInput(_not_carried(other), where=f"{where}.type")

    def _message(self, item: ItemParam, where: str) -> None:
        if item.role is None:
            raise BadInput("is required", where=f"{where}.role")
        content = parts_of(item.content, f"{where}.content")
        if item.role != "assistant":
            self._close({"role": item.role, "content": content})
        elif self._turn is None or "content" in self._turn:
            self._open({"role": "assistant", "content": content})
        else:
            self._turn["content"] = content

    def _call(self, item: ItemParam, where: str, call: Message) -> None:
        call_id = _text(item.call_id, f"{where}.call_id")
        if call_id in self._calls:
            raise BadInput(f"'{call_id[:80]}' is called twice", where=f"{where}.call_id")
        turn = self._turn or self._open({"role": "assistant"})
        if "tool_calls" not in turn:
            self._called = []
            turn["tool_calls"] = self._called
        self._called.append({"id": call_id, **call})
        self._calls[call_id] = where

    def _output(self, item: ItemParam, where: str) -> None:
        call_id = _text(item.call_id, f"{where}.call_id")
        if self._calls.pop(call_id, None) is None:
            raise BadInput(f"no call '{call_id[:80]}' is before it", where=f"{where}.call_id")
        if item.output is None:
            raise BadInput("is required", where=f"{where}.output")
        content = parts_of(item.output, f"{where}.output")
        self._close({"role": "tool", "tool_call_id": call_id, "content": content})

    def _thought(self, item: ItemParam, where: str) -> None:
        text = thought_of(item, where)
        if not text:
            return
        turn = self._turn
        if turn is None or "content" in turn or "tool_calls" in turn:
            turn = self._open({"role": "assistant"})
        turn["reasoning_content"] = f"{turn.get('reasoning_content', '')}{text}"

    def _open(self, turn: Message) -> Message:
        self.messages.append(turn)
        self._turn = turn
        return turn

    def _close(self, message: Message) -> None:
        self.messages.append(message)
        self._turn = None


def _function(item: ItemParam, where: str) -> Message:
    arguments = "" if item.arguments is None else item.arguments
    return {"name": _text(item.name, f"{where}.name"), "arguments": arguments}


def _text(text: str | None, where: str) -> str:
    if not text:
        raise BadInput("is required", where=where)
    return text


def _not_carried(kind: str) -> str:
    return f"items of type '{kind[:60]}' belong to tools that OpenAI hosts, which are not had here"
