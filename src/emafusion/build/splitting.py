"""Who splits queries of several tasks: rules, or a cheap model of the pool."""

from __future__ import annotations

from emafusion.build.readers import better_half, cheapest_first
from emafusion.catalog import cost_usd
from emafusion.config.tree import Decompose
from emafusion.domain.attempt import Usage
from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Splitter
from emafusion.flow.split import RuleSplitter
from emafusion.judge.planner import LLMPlanner

PROMPT, WORDS, THOUGHT = 500, 150, 600
"""Tokens that one plan is expected to take: prompt, and completion of a model that answers at once
and of one that thinks first."""


def splitter_of(
    wanted: Decompose, candidates: tuple[Candidate, ...], quality: Floats
) -> Splitter | None:
    """None where queries are answered whole, or no price of who could split is known.

    `quality`: float64[n], mean predicted quality. A model that splits is the cheapest of the better
    half.
    """
    if wanted == "off":
        return None
    if wanted == "rules":
        return RuleSplitter()
    readers = cheapest_first(better_half(candidates, quality), _fee_usd)
    if not readers:
        return None
    fee, candidate = readers[0]
    return LLMPlanner(candidate=candidate, cost_usd=fee)


def _fee_usd(candidate: Candidate) -> float | None:
    thinks = "reasoning" in candidate.model.abilities
    usage = Usage(prompt_tokens=PROMPT, completion_tokens=THOUGHT if thinks else WORDS)
    return cost_usd(usage, candidate.model.price)
