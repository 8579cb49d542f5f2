"""The slow classifier of a config: whom it asks and what that is expected to cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emafusion.build.readers import better_half, cheapest_first
from emafusion.catalog import cost_usd
from emafusion.domain.attempt import Usage
from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate, Model, Objective
from emafusion.flow.slow import TIMEOUT_S, SlowLabels
from emafusion.judge.labeller import ROOM, LLMLabeller
from emafusion.replay.labelled import SlowRecords

PROMPT, WORDS, THOUGHT = 700, 50, 300
"""Tokens that one labelling is expected to take: prompt (the classes and a usual query), and
completion of a model that answers at once and of one that thinks first."""

RECORDED = "recorded"
LONGEST = 4_000
"""Tokens of prompt that it can take: where nearly every character is one."""


def build_slow(
    candidates: tuple[Candidate, ...],
    quality: Floats,
    axes: Mapping[str, tuple[str, ...]],
    *,
    quality_per_usd: Callable[[Objective], float],
) -> SlowLabels | None:
    """Ask the cheapest language model of the better half; None where no price is known.

    `quality`: float64[n], mean predicted quality of each candidate.
    """
    readers = cheapest_first(better_half(candidates, quality), _fee_usd)
    if not readers:
        return None
    fee, candidate = readers[0]
    return SlowLabels(
        labeller=LLMLabeller(candidate=candidate, axes=axes, timeout_s=TIMEOUT_S),
        cost_usd=fee,
        most_usd=_most_usd(candidate) or fee,
        quality_per_usd=quality_per_usd,
        timeout_s=TIMEOUT_S,
    )


def recorded_slow(
    records: SlowRecords,
    axes: Mapping[str, tuple[str, ...]],
    trust: Mapping[str, float],
    *,
    quality_per_usd: Callable[[Objective], float],
) -> SlowLabels:
    """The labeller of a replay: what was recorded of one, at what it cost."""
    model = Model(name=records.model, provider=RECORDED)
    labeller = Candidate(
        name=records.model, model=model, deployment=RECORDED, remote_name=records.model
    )
    return SlowLabels(
        labeller=LLMLabeller(candidate=labeller, axes=axes, timeout_s=TIMEOUT_S),
        cost_usd=records.cost_usd,
        most_usd=records.cost_usd,
        quality_per_usd=quality_per_usd,
        timeout_s=TIMEOUT_S,
        trust=trust,
    )


def _fee_usd(candidate: Candidate) -> float | None:
    return _cost_usd(candidate, PROMPT, THOUGHT if _thinks(candidate) else WORDS)


def _most_usd(candidate: Candidate) -> float | None:
    return _cost_usd(candidate, LONGEST, ROOM[1] if _thinks(candidate) else ROOM[0])


def _cost_usd(candidate: Candidate, prompt: int, completion: int) -> float | None:
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
    return cost_usd(usage, candidate.model.price)


def _thinks(candidate: Candidate) -> bool:
    return "reasoning" in candidate.model.abilities
