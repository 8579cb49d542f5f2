"""Decomposition, as conversations: split where it is clearly cheaper, whole where in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.command import Flow
from emafusion.domain.errors import Rejected
from emafusion.domain.evidence import Evidence, Fused, Judgement
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.piece import MOST, Piece, Split
from emafusion.domain.query import Message, Query, TextPart, Tool, ask
from emafusion.flow.decompose import answered, is_plain
from emafusion.flow.parts import Parts, Task
from emafusion.flow.split import RuleSplitter, pieces_in
from emafusion.flow.together import all_evidence
from emafusion.gateway.driver import Run, drive
from emafusion.judge.planner import LLMPlanner
from emafusion.judge.tested import TestsJudge
from emafusion.replay.driver import run
from emafusion.testing import FakeUpstream, Script, calls, candidate, failed, features, said

MakeParts = Callable[..., Parts]
SMALL, BIG = candidate("small"), candidate("big", usd_per_mtok=10.0)
TWO = "Answer these questions.\n1. What is the capital of Norway?\n2. Who wrote Peer Gynt?"


class Lengthy:
    """The small model is good at short prompts alone; the big one is good and dear."""

    def encode(self, query: Query, /) -> Features:
        """Count the words."""
        return features(prompt_tokens=len(query.prompt.split()))

    def estimate(self, seen: Features, candidates: tuple[Candidate, ...], /) -> Estimates:
        """Look at the length."""
        n = len(candidates)
        good = 0.9 if seen.prompt_tokens <= 9 else 0.2
        return Estimates(
            candidates=tuple(c.name for c in candidates),
            quality=np.array([good if c.name == "small" else 0.9 for c in candidates]),
            quality_sd=np.full(n, 0.1),
            cost_usd=np.array([0.001 if c.name == "small" else 0.01 for c in candidates]),
            latency_s=np.full(n, 1.0),
            familiarity=1.0,
            route="learned",
            basis=("toy",) * n,
        )


@dataclass
class Given:
    """Splits as it is told to."""

    pieces: tuple[Piece, ...]
    cost_usd: float | None = 0.0

    def split(self, _query: Query, /) -> Flow[Split]:
        """The same for every query."""
        yield from ()
        return Split(pieces=self.pieces)


@pytest.fixture
def parts(make_parts: MakeParts) -> Parts:
    """Parts whose estimates know what is short."""
    made = make_parts({"small": 0.5, "big": 0.9}, max_looks=1)
    return replace(made, encoder=Lengthy(), estimator=Lengthy(), judges={}, splitter=RuleSplitter())


def task(text: str = TWO, **changes: object) -> Task:
    """A query of two questions."""
    objective = Objective(quality_weight=0.9)
    made = Task(query=ask(text), candidates=(SMALL, BIG), objective=objective)
    return structs.replace(made, **changes)


def test_two_questions_are_cheaper_apart(parts: Parts) -> None:
    """Each goes to the small model, which would have been no good at both; all of it is kept."""
    with Script(answered(task(), parts)) as script:
        script << calls("small", live=False) >> said("Oslo", cost_usd=0.001)
        script << calls("small", live=False) >> said("Ibsen", cost_usd=0.002)
    answer = script.value
    assert answer.reply is not None
    assert answer.reply.text == "1. Oslo\n\n2. Ibsen"
    assert (answer.reply.model, answer.route) == ("emafusion/parts", "parts")
    assert answer.fused == Fused(way="parts", attempts=(0, 1))
    assert answer.evidence.cost_usd == pytest.approx(0.003)
    assert answer.confidence == pytest.approx(0.81)
    assert answer.baseline_usd == pytest.approx(0.01), "one call of the best for all of it"
    assert len(answer.plans) == 4


def test_what_a_part_asks_is_all_that_it_needs(parts: Parts) -> None:
    """What comes before the numbers is said with each; the system's instructions hold for each."""
    system = Message(role="system", parts=(TextPart(text="Be brief."),))
    query = ask(TWO)
    told = replace(query, messages=(system, *query.messages), stream=True)
    upstream = FakeUpstream({"small": (said("Oslo"), said("Ibsen"))})
    run(answered(task(query=told), parts), upstream.recorded)
    first, second = (call.query for call in upstream.seen)
    assert first.prompt == "Answer these questions.\n\nWhat is the capital of Norway?"
    assert (second.messages[0], second.stream) == (system, False)


def test_a_later_part_sees_the_answer_it_needs(parts: Parts) -> None:
    """The earlier part and its answer come before it; it alone is the answer."""
    pieces = (Piece(text="Name a fjord."), Piece(text="How long is it?", needs=(0,)))
    upstream = FakeUpstream({"small": (said("Sognefjord"), said("205 km"))})
    splitting = replace(parts, splitter=Given(pieces))
    answer = run(answered(task(), splitting), upstream.recorded)
    turns = [(m.role, m.text) for m in upstream.seen[1].query.messages]
    assert turns == [
        ("user", "Name a fjord."), ("assistant", "Sognefjord"), ("user", "How long is it?"),
    ]  # fmt: skip
    assert answer.reply is not None
    assert answer.reply.text == "205 km"


def test_a_part_that_fails_is_made_good_by_the_whole(parts: Parts) -> None:
    """Where a part cannot be answered the whole query is; what was spent is in the evidence."""
    with Script(answered(task(), parts)) as script:
        script << calls("small") >> said("Oslo", cost_usd=0.001)
        script << calls("small") >> failed(Rejected("no"))
        script << calls("big") >> failed(Rejected("no"))
        script << calls("big") >> said("Oslo; Ibsen", cost_usd=0.01)
    answer = script.value
    assert answer.candidate == "big"
    assert answer.reply is not None
    assert answer.reply.text == "Oslo; Ibsen"
    assert answer.evidence.cost_usd == pytest.approx(0.011)


@pytest.mark.parametrize(
    "changes",
    [
        {"query": replace(ask(TWO), tools=(Tool(name="search"),))},
        {"query": replace(ask(TWO), messages=ask(TWO).messages * 3)},
        {"query": replace(ask(TWO), settings=structs.replace(ask(TWO).settings, n=2))},
        {"query": replace(ask(TWO), settings=structs.replace(ask(TWO).settings, max_tokens=100))},
        {"is_fused": True},
        {"objective": Objective(quality_weight=0.0)},
    ],
)
def test_in_doubt_it_stays_whole(parts: Parts, changes: dict[str, object]) -> None:
    """Tools, turns, several answers, tight limits, fusion, no saving: the query as it came."""
    seen = FakeUpstream({"small": (said("Oslo"),), "big": (said("Oslo"),)})
    made = structs.replace(task(), **changes)
    run(answered(made, parts), seen.recorded)
    assert [call.query for call in seen.seen] == [made.query]


def test_parts_that_would_be_worse_are_not_asked(parts: Parts) -> None:
    """Where a part is predicted worse than the whole, the whole is answered."""
    long = Piece(text="What is this and that and one more thing of many besides?")
    splitting = replace(parts, splitter=Given((long, long)))
    with Script(answered(task(), splitting)) as script:
        script << calls("big") >> said("Oslo; Ibsen")


def test_off_is_off(parts: Parts) -> None:
    """Without a splitter nothing is looked at."""
    with Script(answered(task(), replace(parts, splitter=None))) as script:
        script << calls("big") >> said("Oslo; Ibsen")


def test_a_query_with_tests_is_not_split(parts: Parts) -> None:
    """Tests are of the whole answer, and would fail every part of it."""
    checking = replace(parts, checker=lambda tests: TestsJudge(checker=SMALL, tests=tests))
    with Script(answered(task(), checking.tested_by("Oslo and Ibsen"))) as script:
        script << calls("big") >> said("Oslo; Ibsen")
        script << calls("small", purpose="judge") >> said('{"passed": 1, "of": 1}')
    assert script.value.candidate == "big"


def test_the_planner_is_asked_where_its_price_is_small(parts: Parts) -> None:
    """It names the parts; what it took is in the evidence, as a call that answers nothing."""
    planner = LLMPlanner(candidate=SMALL, cost_usd=0.0001)
    told = '{"parts": [{"task": "Capital of Norway?"}, {"task": "Author of Peer Gynt?"}]}'
    long = task(f"{TWO} {'Take your time. ' * 10}")
    with Script(answered(long, replace(parts, splitter=planner))) as script:
        script << calls("small", purpose="label") >> said(told, cost_usd=0.0001)
        script << calls("small") >> said("Oslo")
        script << calls("small") >> said("Ibsen")
    assert script.value.evidence.cost_usd == pytest.approx(0.0021)
    assert len(script.value.evidence.labelled) == 1
    dear = replace(planner, cost_usd=0.009)
    with Script(answered(long, replace(parts, splitter=dear))) as script:
        script << calls("big") >> said("Oslo; Ibsen")


def test_a_planner_that_says_nothing_useful_leaves_it_whole(parts: Parts) -> None:
    """Its call is paid for, and the query goes as it came."""
    planner = LLMPlanner(candidate=SMALL, cost_usd=0.0001)
    long = task(f"{TWO} {'Take your time. ' * 10}")
    with Script(answered(long, replace(parts, splitter=planner))) as script:
        script << calls("small", purpose="label") >> said("Sure, I split it.", cost_usd=0.0001)
        script << calls("big") >> said("Oslo; Ibsen", cost_usd=0.01)
    assert script.value.evidence.cost_usd == pytest.approx(0.0101)


def test_both_drivers_give_the_same(parts: Parts) -> None:
    """Split or not, the answer live is the answer replayed."""
    answers = {"small": (said("Oslo"), said("Ibsen"))}

    async def serve() -> tuple[str, Evidence]:
        ends_s = asyncio.get_running_loop().time() + 10
        upstreams = {"fake": FakeUpstream(answers)}
        live = await drive(
            answered(task(), parts),
            Run(upstreams=upstreams, pricer=lambda _u, _p: None, deadline_s=ends_s),
        )
        assert live.reply is not None
        return live.reply.text, live.evidence

    replayed = run(answered(task(), parts), FakeUpstream(answers).recorded)
    assert replayed.reply is not None
    assert asyncio.run(serve()) == (replayed.reply.text, replayed.evidence)


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("1. What is a fjord?\n2) Who was Ibsen?", 2),
        ("What is a fjord?\n\nWho was Henrik Ibsen?\n\nWhere is Bergen?", 3),
        ("Translate 'fjord' into French and then explain the etymology.", 2),
        ("What is a fjord?", 0),
        ("1. What is a fjord?\n2. How deep is it?", 0),
        ("Follow these rules:\n1. Write in French.\n2. Name the author.", 0),
        ("Answer as JSON.\n1. What is a fjord?\n2. Who was Ibsen?", 0),
        ("1. What is a fjord?\n3. Who was Ibsen?", 0),
        ("1. What is a fjord?\n2. Who was Ibsen?\n\nKeep both answers short.", 0),
        ("Which is right?\n1. Oslo is in Norway\n2. Oslo is in Sweden", 0),
        ("\n".join(f"{i}. What is item {i} called?" for i in range(1, 9)), 0),
    ],
)
def test_only_what_leaves_no_doubt_is_split(prompt: str, found: int) -> None:
    """Numbered questions, questions apart, one after another; nothing that hangs together."""
    assert len(pieces_in(prompt)) == found


@given(st.text(max_size=400))
def test_any_text_is_whole_or_splits_well(prompt: str) -> None:
    """Whatever the words: no parts, or two to six that each hold something of it."""
    pieces = pieces_in(prompt)
    assert not pieces or (2 <= len(pieces) <= MOST and Split(pieces=pieces).holds)
    assert all(piece.text.strip() for piece in pieces)
    assert is_plain(ask(prompt))


@given(st.lists(st.lists(st.floats(0, 1), max_size=3), max_size=4))
def test_costs_of_parts_add_up(costs: list[list[float]]) -> None:
    """Evidence put together costs what its parts did, and keeps every call and judgement."""
    every = [
        Evidence(
            attempts=tuple(said("x", cost_usd=c) for c in some),
            judgements=tuple(
                Judgement(judge="rules", attempt=i, value=1.0, cost_usd=c)
                for i, c in enumerate(some)
            ),
            groups=tuple(range(len(some))),
            confidences=(0.5,) * len(some),
        )
        for some in costs
    ]
    whole = all_evidence(every)
    assert whole.cost_usd == pytest.approx(sum(each.cost_usd or 0.0 for each in every))
    assert len(whole.attempts) == len(whole.confidences) == len(whole.groups)
    assert len(set(whole.groups)) == len(whole.groups), "answers to other parts are no peers"
    assert [j.attempt for j in whole.judgements] == list(range(len(whole.attempts)))
