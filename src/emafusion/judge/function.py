"""A judge that somebody else wrote: a function of the query's and the answer's text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from emafusion.domain.command import Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement

Function = Callable[[str, str], float | None]
"""(query, answer) -> 0 for surely wrong to 1 for surely right; None to abstain."""

KIND = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionJudge:
    """Asks a function; named `user:NAME`. What it raises, and what is no number, is an abstention.

    It must be quick and do no I/O: it runs while the client waits. Its value counts by a stated
    curve.
    """

    name: str
    function: Function

    @property
    def card(self) -> JudgeCard:
        """Name `user:NAME`, free."""
        return JudgeCard(name=f"{KIND}:{self.name}", kind=KIND)

    def judge(self, case: Case) -> Flow[Judgement]:
        """Read one attempt; yields nothing."""
        yield from ()  # a flow that wants nothing done
        reply = case.subject.reply
        if reply is None or not reply.choices[0].text:
            return self._said(case, None, "no text to read")
        try:
            value = self.function(case.query.prompt, reply.choices[0].text)
        except Exception as error:  # noqa: BLE001 - others' code: a judge that fails abstains
            return self._said(case, None, f"failed: {type(error).__name__}")
        if value is None:
            return self._said(case, None, "abstains")
        if not _is_share(value):
            return self._said(case, None, f"abstains: {value!r:.40} is not between 0 and 1")
        return self._said(case, float(value), "")

    def _said(self, case: Case, value: float | None, verdict: str) -> Judgement:
        return Judgement(
            judge=f"{KIND}:{self.name}", attempt=case.attempt, value=value, verdict=verdict
        )


def _is_share(value: object) -> bool:
    """Whether it is a number in 0..1; a bool counts as 0 or 1."""
    return isinstance(value, int | float) and isfinite(value) and 0.0 <= value <= 1.0
