"""A judge of one's own: a function, by entry point."""

from __future__ import annotations

from pathlib import Path

import pytest

from emafusion.build.judging import installed
from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import BadInput
from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.domain.query import ask
from emafusion.judge.function import Function, FunctionJudge
from emafusion.judge.panel import LogOddsPanel
from emafusion.replay.driver import run
from emafusion.testing import check_judge

ANSWER = Attempt(candidate="m", reply=Reply(choices=(Choice(text="Dear Sir, no."),), model="m"))
CASE = Case(query=ask("Decline."), evidence=Evidence(attempts=(ANSWER,)), attempt=0, candidates=())


def polite(_query: str, answer: str) -> float | None:
    """Whether a letter is polite; nothing to say of anything else."""
    return None if "Dear" not in answer else float("please" in answer.casefold())


def said(function: Function) -> Judgement:
    """What the judge makes of it."""
    return run(FunctionJudge(name="polite", function=function).judge(CASE), lambda _call: ANSWER)


def test_a_function_is_a_judge() -> None:
    """Its number is the value, None an abstention, and it keeps a judge's contract."""
    assert said(polite).value == 0.0
    assert said(polite).judge == "user:polite"
    assert said(lambda _query, _answer: None).value is None
    judge = FunctionJudge(name="polite", function=polite)
    check_judge(judge, CASE, lambda _call: ANSWER)


def test_what_it_says_counts() -> None:
    """Low lowers the confidence, high raises it, nothing leaves it."""
    chances = []
    for value in (0.0, None, 1.0):
        judgement = Judgement(judge="user:polite", attempt=0, value=value)
        evidence = Evidence(attempts=(ANSWER,), judgements=(judgement,))
        case = Case(query=CASE.query, evidence=evidence, attempt=0, candidates=())
        chances.append(LogOddsPanel().combine(0.6, case))
    assert chances[0] < chances[1] < chances[2]
    assert chances[1] == pytest.approx(0.6)


def broken(_query: str, _answer: str) -> float:
    """A judge with a bug."""
    raise KeyError("tone")


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        (broken, "failed: KeyError"),
        (lambda _query, _answer: 7.0, "abstains: 7.0 is not between 0 and 1"),
        (lambda _query, _answer: float("nan"), "abstains: nan is not between 0 and 1"),
    ],
)
def test_a_judge_that_fails_abstains(function: Function, verdict: str) -> None:
    """Others' code does not break a request, and an odd number is no opinion."""
    judgement = said(function)
    assert judgement.value is None
    assert judgement.verdict == verdict


def test_it_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package names a function in the group `emafusion.judges`."""
    (tmp_path / "manners.py").write_text("def judge(query, answer):\n    return 0.25\n")
    info = tmp_path / "manners-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: manners\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[emafusion.judges]\nmanners = manners:judge\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = run(installed("manners").judge(CASE), lambda _call: ANSWER)
    assert (found.judge, found.value) == ("user:manners", 0.25)
    with pytest.raises(BadInput, match="did you mean 'manners'"):
        installed("maners")
    with pytest.raises(BadInput, match="there are rules, logprob"):
        installed("xyz")
