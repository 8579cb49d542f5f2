"""Toy parts: what a flow needs, small enough to read at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query
from emafusion.flow.parts import Parts
from emafusion.policy.dial import fit_dial
from emafusion.policy.gain import GainPolicy
from emafusion.policy.spread import make_spread
from emafusion.testing import features


class Encoder:
    """Always the same features."""

    def encode(self, query: Query, /) -> Features:
        """Count the words."""
        return features(prompt_tokens=len(query.prompt.split()))


class Estimator:
    """Quality by name; cost by price."""

    def __init__(self, quality: dict[str, float]) -> None:
        self._quality = quality

    def estimate(self, _features: Features, candidates: tuple[Candidate, ...], /) -> Estimates:
        """Look the quality up."""
        prices = [c.model.price.prompt_usd_per_mtok if c.model.price else None for c in candidates]
        return Estimates(
            candidates=tuple(c.name for c in candidates),
            quality=np.array([self._quality[c.name] for c in candidates]),
            quality_sd=np.full(len(candidates), 0.1),
            cost_usd=np.array([np.nan if p is None else p * 1e-3 for p in prices]),
            latency_s=np.full(len(candidates), 1.0),
            familiarity=1.0,
            route="learned",
            basis=("toy",) * len(candidates),
        )


class Honest:
    """A free judge that believes what an answer says of itself: `sure` or not."""

    card = JudgeCard(name="honest", kind="rules")

    def judge(self, case: Case, /) -> Flow[Judgement]:
        """Believe it."""
        reply = case.subject.reply
        value = 0.95 if reply is not None and "sure" in reply.text else 0.05
        yield from ()  # a flow, like every judge
        return Judgement(judge="honest", attempt=case.attempt, value=value)


class Panel:
    """The last judgement of an attempt, else what was predicted."""

    def confidences(self, qualities: Sequence[float], case: Case, /) -> tuple[float | None, ...]:
        """Take the last word on each."""
        said = {j.attempt: j.value for j in case.evidence.judgements if j.value is not None}
        replied = [attempt.reply is not None for attempt in case.evidence.attempts]
        pairs = enumerate(zip(qualities, replied, strict=True))
        return tuple(said.get(i, q) if ok else None for i, (q, ok) in pairs)


def group(_query: Query, attempts: tuple[Attempt, ...]) -> tuple[int, ...]:
    """Equal texts are one group."""
    texts = [a.reply.text if a.reply else None for a in attempts]
    return tuple(-1 if text is None else texts.index(text) for text in texts)


@pytest.fixture
def make_parts() -> Callable[..., Parts]:
    """Parts with these qualities; costs on the dial from 1 to 10 thousandths of a dollar."""

    def make(quality: dict[str, float], *, max_looks: int = 2) -> Parts:
        dial = fit_dial(np.array([[0.5, 0.7, 0.9]]), np.array([[0.001, 0.004, 0.01]]))
        return Parts(
            encoder=Encoder(),
            estimator=Estimator(quality),
            policy=GainPolicy(dial=dial, spread=make_spread(2.0, 2.0), max_looks=max_looks),
            judges={"honest": Honest()},
            panel=Panel(),
            group=group,
            best_single=max(quality, key=lambda name: quality[name]),
        )

    return make
