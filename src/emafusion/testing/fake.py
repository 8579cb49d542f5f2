"""An upstream that says what it was told to."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt, Delta
from emafusion.domain.command import Call
from emafusion.domain.errors import Rejected
from emafusion.domain.ports import Sink


class FakeUpstream:
    """Answers each candidate's calls from its own queue; the last answer is repeated.

    `answers`: attempts by candidate name. `seen`: every call it got, in order. It also serves as
    the `Recorded` of `replay.driver.run`, by `recorded`.
    """

    def __init__(self, answers: Mapping[str, tuple[Attempt, ...]]) -> None:
        self._answers = {name: list(attempts) for name, attempts in answers.items()}
        self.seen: list[Call] = []
        self.closed = False

    def recorded(self, call: Call) -> Attempt:
        """The next answer for this call."""
        self.seen.append(call)
        name = call.candidate.name
        queue = self._answers.get(name)
        if not queue:
            return Attempt(candidate=name, failure=Rejected(f"nothing to say as {name}"))
        attempt = queue.pop(0) if len(queue) > 1 else queue[0]
        return replace(attempt, candidate=name)

    async def send(self, call: Call, sink: Sink | None = None, /) -> Attempt:
        """Answer at once; with a sink, word by word."""
        attempt = self.recorded(call)
        if sink is None or attempt.reply is None:
            return attempt
        for choice, said in enumerate(attempt.reply.choices):
            for word in said.text.split(" "):
                await sink(Delta(choice=choice, text=f"{word} "))
            await sink(Delta(choice=choice, finish_reason=said.finish_reason))
        return replace(attempt, sent_live=True)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
