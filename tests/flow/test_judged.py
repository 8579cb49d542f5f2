"""Several model judges on one answer, asked one after another, as conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from emafusion.domain.command import Call
from emafusion.domain.model import Candidate, Model, Objective, Price
from emafusion.domain.outcome import Answer
from emafusion.domain.query import ask
from emafusion.flow.parts import Parts, Task
from emafusion.flow.route import route
from emafusion.gateway.driver import Run, drive
from emafusion.judge.curve import logit
from emafusion.judge.explain import explain_confidence
from emafusion.judge.family import related
from emafusion.judge.llm import LLMJudge
from emafusion.judge.panel import LogOddsPanel
from emafusion.replay.driver import run
from emafusion.testing import FakeUpstream, said

MakeParts = Callable[..., Parts]
FEE_USD = 0.00001


def model(name: str, family: str, usd: float = 1.0) -> Candidate:
    """A candidate of a family."""
    price = Price(prompt_usd_per_mtok=usd, completion_usd_per_mtok=usd)
    made = Model(name=name, provider="x", family=family, price=price)
    return Candidate(name=name, model=made, deployment="fake", remote_name=name)


SMALL, BIG = model("small", "s"), model("big", "b", 10.0)
READERS = (model("s2", "s"), model("j1", "j"), model("j2", "j"), model("k1", "k"))
QUALITY = {"small": 0.6, "big": 0.75}


def parts_of(make_parts: MakeParts, *, fee_usd: float = FEE_USD) -> Parts:
    """The toy parts with model judges and the panel that is served."""
    panel = LogOddsPanel()
    judges = [
        LLMJudge(
            candidate=reader,
            cost_usd=fee_usd,
            kin=frozenset(c.name for c in (SMALL, BIG) if related(c, reader)),
        )
        for reader in READERS
    ]
    return replace(
        make_parts(QUALITY),
        judges={judge.card.name: judge for judge in judges},
        panel=panel,
        explain=partial(explain_confidence, panel),
    )


def task() -> Task:
    """A question whose answer may be judged."""
    return Task(
        query=ask("Why is it so?"),
        candidates=(SMALL, BIG),
        objective=Objective(answer_value_usd=0.05),
        is_explained=True,
    )


def upstream(grade: str = "6") -> FakeUpstream:
    """Answers are prose, every grade is the same."""
    answers = {name: (said("It is so.", cost_usd=0.01),) for name in ("small", "big")}
    judges = {reader.name: (said(grade, cost_usd=FEE_USD),) for reader in READERS}
    return FakeUpstream(answers | judges)


def answered(parts: Parts, grade: str = "6") -> tuple[Answer, list[Call]]:
    """What comes of it, and every call."""
    fake = upstream(grade)
    return run(route(task(), parts), fake.recorded), fake.seen


def asked(made: list[Call]) -> list[tuple[str | None, str]]:
    """Whose answer was read, and by whom."""
    return [(call.subject, call.candidate.name) for call in made if call.purpose == "judge"]


def test_judges_are_asked_one_after_another_one_of_a_family(make_parts: MakeParts) -> None:
    """Each a signal of its own, never the answerer's family; all of it is in the cost."""
    answer, made = answered(parts_of(make_parts))
    judged = asked(made)
    assert len(judged) > 1
    for subject in {subject for subject, _ in judged}:
        families = [name[0] for who, name in judged if who == subject]
        assert len(families) == len(set(families)), "one of a family at most"
        assert subject is not None
        assert subject[0] not in families, "nobody reads answers of its own"
    signals = [each for each in answer.signals if each.name.startswith("llm:")]
    assert len(signals) == len(judged)
    assert all(each.cost_usd == FEE_USD for each in signals)
    spent = 0.01 * (len(made) - len(judged)) + FEE_USD * len(judged)
    assert answer.evidence.cost_usd == pytest.approx(spent)


def test_a_second_judge_adds_less_than_the_first(make_parts: MakeParts) -> None:
    """Nobody measured them, so they are taken to err alike; both are still heard."""
    answer, _ = answered(parts_of(make_parts), grade="5")
    judged = [each for each in answer.signals if each.name.startswith("llm:")]
    moved = [logit(each.after) - logit(each.before) for each in judged if each.attempt == 0]
    assert len(moved) == 2
    assert moved[0] < moved[1] < 0.0
    assert [each.effective for each in judged] == [1.0, pytest.approx(4 / 3)]


def test_it_stops_once_no_judge_can_change_the_decision(make_parts: MakeParts) -> None:
    """A good grade decides, so the second judge is left out; the reason tells."""
    answer, made = answered(parts_of(make_parts), grade="8")
    assert asked(made) == [("small", "j1")]
    assert answer.plans[-1].reason.endswith("no further call or judge gains more than it costs")


def test_dear_judges_are_not_asked(make_parts: MakeParts) -> None:
    """Where none of them can be worth its price the answer is given unread."""
    _, made = answered(parts_of(make_parts, fee_usd=10.0))
    assert not asked(made)


async def test_served_and_replayed_alike(make_parts: MakeParts) -> None:
    """Both drivers make the same calls in the same order, at the same cost."""
    answer, made = answered(parts_of(make_parts))
    fake = upstream()
    circumstances = Run(
        upstreams={"fake": fake},
        pricer=lambda _usage, _price: None,
        deadline_s=asyncio.get_running_loop().time() + 30.0,
    )
    live = await drive(route(task(), parts_of(make_parts)), circumstances)
    assert [call.candidate.name for call in fake.seen] == [call.candidate.name for call in made]
    assert live.evidence.cost_usd == answer.evidence.cost_usd
    assert live.confidence == answer.confidence
