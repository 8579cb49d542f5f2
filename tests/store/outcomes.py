"""A small factory of outcomes for tests of the store."""

from __future__ import annotations

import time

import numpy as np

from emafusion.domain.attempt import Attempt, Choice, Reply, Usage
from emafusion.domain.errors import Overloaded
from emafusion.domain.evidence import (
    CallStep,
    Evidence,
    Judgement,
    JudgeStep,
    Plan,
    StopStep,
)
from emafusion.domain.features import Estimates, Features, Labels
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer, Outcome
from emafusion.domain.query import ask

CANDIDATES = ("small", "large")


def labels() -> Labels:
    """Labels with clear winners: task 11, depth 2, domain 9, format 4 (counted from 0)."""

    def peak(size: int, place: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        values = np.full(size, 0.3 / (size - 1))
        values[place] = 0.7
        return values

    return Labels(task=peak(16, 11), depth=peak(5, 2), domain=peak(14, 9), format=peak(8, 4))


def features(prompt_tokens: int = 12) -> Features:
    """Features of some short query."""
    return Features(
        indices=np.array([3, 17, 40_000]),
        weights=np.array([0.6, 0.64, 0.48]),
        counts=np.linspace(0, 1, 20),
        labels=labels(),
        prompt_tokens=prompt_tokens,
        prompt_hash="00" * 16,
    )


def estimates() -> Estimates:
    """Estimates of two candidates; the large one's latency is unknown."""
    return Estimates(
        candidates=CANDIDATES,
        quality=np.array([0.61, 0.92]),
        quality_sd=np.array([0.08, 0.05]),
        cost_usd=np.array([0.00002, 0.004]),
        latency_s=np.array([0.4, np.nan]),
        familiarity=0.83,
        route="taxonomy",
        basis=("taxonomy: 431 outcomes", "prior: price, family, size"),
    )


def said(candidate: str, text: str, *, cost_usd: float | None = 0.00002) -> Attempt:
    """An attempt that answered."""
    reply = Reply(
        choices=(Choice(text=text),),
        model=f"{candidate}-2026",
        usage=Usage(prompt_tokens=12, completion_tokens=7, cached_prompt_tokens=4),
    )
    return Attempt(candidate=candidate, reply=reply, cost_usd=cost_usd, latency_s=0.4, ttft_s=0.1)


def failed(candidate: str, message: str = "busy") -> Attempt:
    """An attempt that failed on the provider's side."""
    failure = Overloaded(message, status=503)
    return Attempt(candidate=candidate, failure=failure, cost_usd=0.0, latency_s=0.02)


def judged(attempt: int, value: float | None, verdict: str = "") -> Judgement:
    """A judgement of one attempt."""
    return Judgement(judge="rules", attempt=attempt, value=value, verdict=verdict, cost_usd=0.0)


def answer(text: str = "It is 4.", *, candidate: str = "small", confidence: float = 0.9) -> Answer:
    """One look, judged and accepted."""
    evidence = Evidence(
        attempts=(said(candidate, text),),
        judgements=(judged(0, 0.9, "checks hold"),),
        confidences=(confidence,),
        groups=(0,),
    )
    plans = (
        Plan(
            step=CallStep(candidate=candidate),
            propensity=0.98,
            reason="cheapest that is good enough",
            likely=(JudgeStep(judges=("rules",), attempt=0), StopStep(attempt=0)),
            quality=0.61,
            cost_usd=0.00002,
        ),
        Plan(step=JudgeStep(judges=("rules",), attempt=0), propensity=1.0, reason="free"),
        Plan(step=StopStep(attempt=0), propensity=1.0, reason="confident enough"),
    )
    return Answer(
        reply=evidence.attempts[0].reply,
        failure=None,
        attempt=0,
        evidence=evidence,
        plans=plans,
        features=features(),
        estimates=estimates(),
        route="taxonomy",
        propensity=0.98,
        confidence=confidence,
        baseline_usd=0.004,
    )


def escalated_answer(text: str = "It is 42.") -> Answer:
    """A doubtful first look, then a second one that convinced."""
    evidence = Evidence(
        attempts=(
            said("small", "It is 41."),
            said("large", text, cost_usd=0.004),
        ),
        judgements=(judged(0, 0.2, "does not add up"), judged(1, 0.95)),
        confidences=(0.3, 0.95),
        groups=(0, 1),
    )
    first = Plan(step=CallStep(candidate="small"), propensity=0.9, reason="try the cheap one")
    second = Plan(step=CallStep(candidate="large"), propensity=1.0, reason="not convincing")
    return Answer(
        reply=evidence.attempts[1].reply,
        failure=None,
        attempt=1,
        evidence=evidence,
        plans=(first, second, Plan(step=StopStep(attempt=1), propensity=1.0, reason="good")),
        features=features(),
        estimates=estimates(),
        route="learned",
        propensity=0.9,
        confidence=0.95,
        baseline_usd=0.0041,
    )


def failed_answer(message: str = "busy") -> Answer:
    """Nobody answered; the client named the model, so nothing was estimated."""
    attempt = failed("large", message)
    return Answer(
        reply=None,
        failure=attempt.failure,
        attempt=None,
        evidence=Evidence(attempts=(attempt,), confidences=(None,), groups=(-1,)),
        plans=(),
        features=None,
        estimates=None,
        route="direct",
        propensity=1.0,
    )


def outcome(
    decision_id: str = "em-1",
    *,
    prompt: str = "What is 2 + 2?",
    given: Answer | None = None,
    created_at: float | None = None,
) -> Outcome:
    """An outcome around an answer, made now unless it says when."""
    given = given or answer()
    return Outcome(
        decision_id=decision_id,
        created_at=time.time() if created_at is None else created_at,
        query=ask(prompt, query_id=decision_id),
        objective=Objective(),
        answer=given,
        status=200 if given.failure is None else given.failure.client_status,
        latency_s=0.45,
        overhead_ms=0.8,
        session="s-1",
        key_id="key-1",
        tags=(("team", "blue"),),
    )
