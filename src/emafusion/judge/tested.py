"""The judge by tests: the client's own, run by the operator's checker on one answer.

Nothing is run here. The answer and the tests go to a checker that the operator has configured,
and what it reports is read strictly. An answer passes if it passes all tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from emafusion.domain.attempt import Attempt, Reply
from emafusion.domain.command import Call, Flow, call
from emafusion.domain.evidence import Case, JudgeCard, Judgement
from emafusion.domain.model import Candidate
from emafusion.domain.query import ask
from emafusion.judge.reading import fences

NAME = "rules:tests"
CARD = JudgeCard(name=NAME, kind="rules")

Count = Annotated[int, msgspec.Meta(ge=0)]


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checker says: how many tests passed, of how many."""

    passed: Count
    of: Annotated[int, msgspec.Meta(ge=1)]


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a checker gets, as one JSON object.

    `answer`: the whole text; `code`: its last fenced block, null where it has none; `tests`: as the
    client sent them.
    """

    prompt: str
    answer: str
    code: str | None
    tests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsJudge:
    """Value 1 where an answer passes all `tests`, 0 where it fails one; implements `Judge`.

    Abstains where the checker fails, or says anything but its report.
    """

    __test__ = False  # no test case of pytest

    checker: Candidate
    tests: str
    timeout_s: float = 30.0

    @property
    def card(self) -> JudgeCard:
        """Name `rules:tests`; running what is at hand costs nothing that is billed."""
        return CARD

    def judge(self, case: Case, /) -> Flow[Judgement]:
        """Have one attempt checked."""
        reply = case.subject.reply
        if reply is None:
            return _said(case, None, "no reply")
        command = Call(
            candidate=self.checker,
            query=ask(work_of(case, reply, self.tests), query_id=case.query.query_id),
            purpose="judge",
            subject=case.subject.candidate,
            timeout_s=self.timeout_s,
        )
        attempt = yield from call(command)
        report = _read(attempt)
        if report is None:
            return _said(case, None, "abstains: the checker gave no report", attempt=attempt)
        value = 1.0 if report.passed == report.of else 0.0
        return _said(case, value, f"tests: {report.passed} of {report.of} pass", attempt=attempt)


def work_of(case: Case, reply: Reply, tests: str) -> str:
    """The JSON that a checker gets."""
    blocks = fences(reply.text)
    work = Work(
        prompt=case.query.prompt,
        answer=reply.text,
        code=blocks[-1].body if blocks else None,
        tests=tests,
    )
    return msgspec.json.encode(work).decode()


def _read(attempt: Attempt) -> Report | None:
    if attempt.reply is None:
        return None
    try:
        report = msgspec.json.decode(attempt.reply.text, type=Report)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return report if report.passed <= report.of else None


def _said(
    case: Case, value: float | None, verdict: str, *, attempt: Attempt | None = None
) -> Judgement:
    latency_s = 0.0 if attempt is None else attempt.latency_s
    return Judgement(
        judge=NAME, attempt=case.attempt, value=value, verdict=verdict, latency_s=latency_s
    )
