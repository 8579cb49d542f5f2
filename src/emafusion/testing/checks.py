"""Contracts: what every policy, estimator, judge, upstream and store must hold."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
from msgspec import structs

from emafusion.domain.attempt import Attempt, Delta
from emafusion.domain.command import Call
from emafusion.domain.errors import Overloaded
from emafusion.domain.evidence import CallStep, Case, Evidence, JudgeStep, Situation
from emafusion.domain.features import Features, Floats
from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Outcome
from emafusion.domain.ports import Estimator, Judge, Policy, Store, Upstream
from emafusion.replay.driver import run
from emafusion.testing.making import features, situation

MeanOf = Callable[[Floats, Floats, Floats], float]


def check_policy(policy: Policy, candidates: tuple[str, ...] = ("a", "b", "c")) -> None:
    """A policy is pure, names only what is there, tells its propensity and comes to an end."""
    start = situation({name: 0.5 + 0.1 * i for i, name in enumerate(candidates)})
    plan = policy.plan(start)
    assert plan == policy.plan(start), "planning twice gives two plans: it is not pure"
    assert isinstance(plan.step, CallStep), "with no evidence the first step is a call"
    assert plan.step.candidate in candidates, "it calls a candidate that is not there"
    for query_id in map(str, range(50)):
        drawn = policy.plan(structs.replace(start, query_id=query_id))
        assert 0.0 < drawn.propensity <= 1.0, "a propensity is a probability above 0"
    _check_end(policy, start)


def _check_end(policy: Policy, start: Situation) -> None:
    """It stops, whatever fails."""
    here = start
    for _ in range(8 * len(start.candidates)):
        step = policy.plan(here).step
        if not isinstance(step, CallStep | JudgeStep):
            return
        if isinstance(step, CallStep):
            here = structs.replace(here, evidence=_after_failure(here.evidence, step.candidate))
    raise AssertionError("it goes on for ever when every call fails")


def _after_failure(evidence: Evidence, name: str) -> Evidence:
    attempt = Attempt(candidate=name, failure=Overloaded("down"), cost_usd=0.0)
    return Evidence(
        attempts=(*evidence.attempts, attempt),
        confidences=(*evidence.confidences, None),
        groups=(*evidence.groups, -1),
    )


def check_estimator(estimator: Estimator, candidates: tuple[Candidate, ...]) -> None:
    """An estimator is pure, works before any data, and does not care for the order."""
    query = features()
    first = estimator.estimate(query, candidates)
    again = estimator.estimate(query, candidates)
    turned = estimator.estimate(query, candidates[::-1])
    assert first.candidates == tuple(c.name for c in candidates), "in the order of the candidates"
    assert np.array_equal(first.quality, again.quality), "estimating twice differs: it is not pure"
    assert np.allclose(first.quality, turned.quality[::-1]), "the order of candidates matters"
    assert ((first.quality >= 0) & (first.quality <= 1)).all(), "quality is in 0..1"
    assert (first.quality_sd > 0).all(), "every prediction has a standard error"
    costs = first.cost_usd[~np.isnan(first.cost_usd)]
    assert (costs >= 0).all(), "cost is not negative; NaN where unknown"
    assert len(first.basis) == len(candidates), "each prediction says what it rests on"
    _check_free(estimator, query, candidates)


def _check_free(estimator: Estimator, query: Features, candidates: tuple[Candidate, ...]) -> None:
    unpriced = tuple(replace(c, model=replace(c.model, price=None)) for c in candidates)
    assert np.isnan(estimator.estimate(query, unpriced).cost_usd).all(), (
        "an unknown price is unknown, not free"
    )


def check_judge(judge: Judge, case: Case, recorded: Callable[[Call], Attempt]) -> None:
    """A judge is pure, stays in 0..1, abstains by None and never by a middle value."""
    first, again = run(judge.judge(case), recorded), run(judge.judge(case), recorded)
    assert first == again, "judging twice differs: it is not pure"
    assert first.judge == judge.card.name, "a judgement names its judge"
    assert first.attempt == case.attempt, "a judgement names the attempt that was read"
    assert first.value is None or 0.0 <= first.value <= 1.0, "a value is in 0..1"
    assert first.cost_usd is None or first.cost_usd >= 0.0, "cost is not negative"


def check_drawn_mean(mean_of: MeanOf, *, scores: Floats, verdicts: Floats, chances: Floats) -> None:
    """A mean by few labels is the true one on average over all draws, whatever verdicts are worth.

    `mean_of`: scores (NaN where nobody labelled), verdicts and chances -> mean. Goes through every
    draw, so a dozen answers at most.
    """
    total = 0.0
    for drawn in itertools.product((False, True), repeat=len(scores)):
        chance = float(np.where(drawn, chances, 1.0 - chances).prod())
        labels = np.where(drawn, scores, np.nan)
        total += chance * mean_of(labels, verdicts, chances)
    assert abs(total - float(scores.mean())) < 1e-9, "the mean over all draws is not the true mean"


async def check_upstream(upstream: Upstream, call: Call) -> None:
    """An upstream answers or fails by value, streamed and not, and the two agree."""
    whole = await upstream.send(call)
    parts: list[str] = []

    async def sink(delta: Delta) -> None:
        parts.append(delta.text)

    streamed = await upstream.send(call, sink)
    assert whole.candidate == streamed.candidate == call.candidate.name
    assert (whole.reply is None) == (streamed.reply is None), "streamed or not, the same end"
    if streamed.reply is not None:
        assert streamed.sent_live, "what went to the client is marked so"
        assert "".join(parts).strip() == streamed.reply.text.strip(), "the stream is the reply"


async def check_store(
    store: Store, outcome: Outcome, find: Callable[[str], Awaitable[bool]]
) -> None:
    """What was appended is there, and appending a second row keeps the first."""
    await store.append(outcome)
    assert await find(outcome.decision_id), "an appended outcome is there once append returns"
    other = structs.replace(outcome, decision_id=f"{outcome.decision_id}x")
    await store.append(other)
    assert await find(outcome.decision_id), "the first row is still there"
    assert await find(other.decision_id), "and so is the second"
