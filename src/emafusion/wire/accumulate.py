"""A stream of deltas folded to the reply that would have come in one piece."""

from __future__ import annotations

from dataclasses import dataclass, field

from emafusion.domain.attempt import Choice, Delta, FinishReason, Reply, TokenLogprob, Usage
from emafusion.domain.query import ToolCall


class Accumulator:
    """Folds deltas; `reply` gives what they amount to.

    >>> accumulator = Accumulator()
    >>> for text in ("Hel", "lo"):
    ...     accumulator.add(Delta(text=text))
    >>> accumulator.reply("m").text
    'Hello'
    """

    __slots__ = ("_choices", "_model", "_usage")

    def __init__(self) -> None:
        self._choices: dict[int, _Growing] = {}
        self._model: str | None = None
        self._usage: Usage | None = None

    def add(self, delta: Delta, /) -> None:
        """Take the next delta; the last usage counts."""
        if delta.usage is not None:
            self._usage = delta.usage
        if delta.model and not self._model:
            self._model = delta.model
        growing = self._choices.get(delta.choice)
        if growing is None:
            growing = self._choices[delta.choice] = _Growing()
        growing.add(delta)

    def reply(self, model: str, /) -> Reply:
        """Give the reply so far, at least one choice; `model` where the stream named none.

        What came without a finish reason counts as stopped.
        """
        spoken = [self._choices[index] for index in sorted(self._choices)]
        choices = tuple(growing.choice() for growing in spoken) or (Choice(),)
        return Reply(choices=choices, model=self._model or model, usage=self._usage)


@dataclass(slots=True)
class _Called:
    id: str | None = None
    name: str | None = None
    arguments: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Growing:
    """One of the answers, as far as it has come."""

    text: list[str] = field(default_factory=list[str])
    reasoning: list[str] = field(default_factory=list[str])
    refusal: list[str] = field(default_factory=list[str])
    logprobs: list[TokenLogprob] = field(default_factory=list[TokenLogprob])
    called: dict[int, _Called] = field(default_factory=dict[int, _Called])
    finish_reason: FinishReason | None = None

    def add(self, delta: Delta) -> None:
        """Take a delta of this answer."""
        if delta.text:
            self.text.append(delta.text)
        if delta.reasoning:
            self.reasoning.append(delta.reasoning)
        if delta.refusal:
            self.refusal.append(delta.refusal)
        self.logprobs.extend(delta.logprobs)
        self.finish_reason = delta.finish_reason or self.finish_reason
        for tool in delta.tools:
            called = self.called.setdefault(tool.index, _Called())
            called.id = called.id or tool.id
            called.name = called.name or tool.name
            called.arguments.append(tool.arguments)

    def choice(self) -> Choice:
        """Give the answer so far."""
        return Choice(
            text="".join(self.text),
            tool_calls=tuple(_tool_call(n, self.called[n]) for n in sorted(self.called)),
            finish_reason=self.finish_reason or "stop",
            refusal="".join(self.refusal) or None,
            reasoning="".join(self.reasoning) or None,
            logprobs=tuple(self.logprobs),
        )


def _tool_call(index: int, called: _Called) -> ToolCall:
    """Close a call; one that came without an id gets its index as one."""
    return ToolCall(
        id=called.id or f"call_{index}",
        name=called.name or "",
        arguments="".join(called.arguments),
    )
