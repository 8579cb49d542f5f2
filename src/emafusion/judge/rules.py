"""The judge by hard rules: what can be proved of an answer without asking anyone."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.attempt import Reply
from emafusion.domain.command import Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement
from emafusion.domain.query import Query
from emafusion.judge.answered import letter_read, number_given
from emafusion.judge.finish import not_empty, not_looping, not_refused, not_truncated
from emafusion.judge.kept import form_kept, length_kept
from emafusion.judge.language import language_kept
from emafusion.judge.structure import code_parses, json_fits
from emafusion.judge.tools import choice_kept, not_repeated, tools_fit
from emafusion.judge.units import unit_kept
from emafusion.judge.verdict import Check, Verdict

CHECKS: tuple[tuple[str, Check], ...] = (
    ("empty", not_empty),
    ("refusal", not_refused),
    ("truncated", not_truncated),
    ("tools", tools_fit),
    ("tool_choice", choice_kept),
    ("repeated_call", not_repeated),
    ("json", json_fits),
    ("code", code_parses),
    ("choice", letter_read),
    ("number", number_given),
    ("unit", unit_kept),
    ("form", form_kept),
    ("length", length_kept),
    ("loop", not_looping),
    ("language", language_kept),
)
"""Every check by name, in the order of asking; the first fault decides."""

CARD = JudgeCard(name="rules", kind="rules")


@dataclass(frozen=True, slots=True)
class RulesJudge:
    """Value 0 where a fault is proved, with the check's name; 1 where the shape is; else abstains.

    The verdict reads `CHECK: reason`, so `tools: no tool is called 'fly'`. Costs nothing.
    """

    checks: tuple[tuple[str, Check], ...] = CHECKS

    @property
    def card(self) -> JudgeCard:
        """Name `rules`, free."""
        return CARD

    def judge(self, case: Case) -> Flow[Judgement]:
        """Read one attempt; yields nothing."""
        yield from ()  # a flow that wants nothing done
        reply = case.subject.reply
        if reply is None:
            return Judgement(judge="rules", attempt=case.attempt, value=None, verdict="no reply")
        value, verdict = examine(case.query, reply, self.checks)
        return Judgement(judge="rules", attempt=case.attempt, value=value, verdict=verdict)


def examine(
    query: Query, reply: Reply, checks: tuple[tuple[str, Check], ...] = CHECKS
) -> tuple[float | None, str]:
    """Run the checks: (0, the first fault), (1, what is proved) or (None, "").

    >>> from emafusion.domain.attempt import Choice
    >>> from emafusion.domain.query import ask
    >>> examine(ask("Hello"), Reply(choices=(Choice(text=" "),), model="m"))
    (0.0, 'empty: the reply is empty')
    """
    proved: list[str] = []
    for name, check in checks:
        verdict: Verdict = check(query, reply)
        if verdict.outcome == "bad":
            return 0.0, f"{name}: {verdict.reason}"
        if verdict.outcome == "ok":
            proved.append(f"{name}: {verdict.reason}")
    return (1.0, "; ".join(proved)) if proved else (None, "")
