"""A pipeline without a model: characters for tokens, answers from a script, one token a step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emafusion.upstream.local.generation import FinishReason, Message, Sampling
from emafusion.upstream.local.pipeline import Draft, Prompt

END = 0  # the id that ends an answer


@dataclass(slots=True)
class ScriptedHandle:
    """One request: the answers still to be told, one character a step."""

    answers: list[str]
    max_tokens: int
    cancelled: bool = False
    told: int = 0
    drafts: list[Draft] = field(default_factory=list[Draft])

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.cancelled or self.told >= max(map(self._length, self.answers))

    @property
    def running(self) -> bool:
        """As the port has it: unfinished or unread."""
        return bool(self.drafts) or not self.over

    def read(self) -> list[Draft]:
        """Drafts since the last read."""
        drafts, self.drafts = self.drafts, []
        return drafts

    def cancel(self) -> None:
        """Stop."""
        self.cancelled = True

    def advance(self) -> None:
        """Tell one more token of each answer."""
        for index, answer in enumerate(self.answers):
            if self.told < self._length(answer):
                self.drafts.append(self._draft(index, answer))
        self.told += 1

    def _length(self, answer: str) -> int:
        return min(len(answer) + 1, self.max_tokens)

    def _draft(self, index: int, answer: str) -> Draft:
        ended = self.told == len(answer)
        full = self.told + 1 == self.max_tokens
        token_id = END if ended else ord(answer[self.told])
        reason: FinishReason | None = "stop" if ended else "length" if full else None
        return Draft(index=index, token_ids=(token_id,), logprobs=(-0.5,), reason=reason)


@dataclass(slots=True)
class ScriptedPipeline:
    """Answers by `answer(last message, sample)`; `gate` holds every step while it is clear."""

    answer: Callable[[str, int], str]
    context_tokens: int = 100
    stop_token_ids: frozenset[int] = frozenset({END})
    handles: list[ScriptedHandle] = field(default_factory=list[ScriptedHandle])
    samplings: list[Sampling] = field(default_factory=list[Sampling])
    prompts: list[tuple[Message, ...]] = field(default_factory=list[tuple[Message, ...]])
    most_together: int = 0
    steps: int = 0
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin with the gate open."""
        self.gate.set()

    @property
    def busy(self) -> bool:
        """Whether any request is unfinished."""
        return any(not handle.over for handle in self.handles)

    def encode(self, messages: Sequence[Message]) -> Prompt:
        """A token a character; a message "refuse" is one the template cannot take."""
        if messages[-1].content == "refuse":
            raise RuntimeError("[01:02:03] /src/template.cpp:7: bad turn")
        self.prompts.append(tuple(messages))
        return Prompt(token_count=sum(len(message.content) for message in messages))

    def add(self, prompt: Prompt, sampling: Sampling) -> ScriptedHandle:
        """Accept the prompt that was encoded last."""
        del prompt
        said = self.prompts[-1][-1].content
        answers = [self.answer(said, index) for index in range(sampling.samples)]
        handle = ScriptedHandle(answers=answers, max_tokens=sampling.max_tokens)
        self.samplings.append(sampling)
        self.handles.append(handle)
        return handle

    def step(self) -> None:
        """Advance all; an answer "break" breaks the pipeline as a bad grammar would."""
        self.gate.wait(timeout=10)
        live = [handle for handle in self.handles if not handle.over]
        self.most_together = max(self.most_together, len(live))
        self.steps += 1
        if any("break" in handle.answers for handle in live):
            raise RuntimeError("[01:02:03] /src/grammar.cc:898: Unsupported type")
        for handle in live:
            handle.advance()

    def decode(self, token_ids: Sequence[int]) -> str:
        """Ids as characters."""
        return "".join(map(chr, token_ids))


def echo(said: str, sample: int) -> str:
    """Answer with what was said, numbered from the second sample on."""
    return said if sample == 0 else f"{said}{sample}"
