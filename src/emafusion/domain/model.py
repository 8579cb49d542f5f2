"""Models, what they cost, and candidates: what a policy chooses from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Ability = Literal["tools", "json_object", "json_schema", "images", "logprobs", "n", "reasoning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Prices of one model, US dollars; None is unknown, never free.

    Token prices are per million tokens. `cached_prompt_usd_per_mtok` (cache hit) and
    `cache_write_usd_per_mtok` default to the prompt price where None. `cpu_usd_per_hour` prices
    models on this machine by CPU time. `dated`: ISO date of the figures.
    """

    prompt_usd_per_mtok: float | None = None
    completion_usd_per_mtok: float | None = None
    cached_prompt_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    cpu_usd_per_hour: float | None = None
    dated: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights by name. `size_b`: billions of parameters, None if not published.

    `kind`: `language` for a language model, `program` for an exact specialist.
    """

    name: str
    provider: str
    family: str | None = None
    price: Price | None = None
    context_tokens: int | None = None
    max_completion_tokens: int | None = None
    abilities: frozenset[Ability] = frozenset()
    size_b: float | None = None
    kind: Literal["language", "program"] = "language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model at a deployment: what a policy chooses.

    `name` is unique in the pool; `deployment` names the upstream that serves it; `remote_name` is
    what that upstream calls it; `latency_s` is its typical seconds for a short answer, where known.
    """

    name: str
    model: Model
    deployment: str
    remote_name: str
    latency_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What the caller wants of an answer; None means no such limit.

    `quality_weight`: 0 = cheapest acceptable, 1 = best answers. `answer_value_usd`: what one right
    answer is worth, instead of the weight. `max_cost_usd`, `max_latency_s`: per query, everything
    included. `min_quality`: predicted quality below which a candidate is not considered.
    `candidates`: names that may be used, empty = all.
    """

    quality_weight: float = 0.5
    answer_value_usd: float | None = None
    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    min_quality: float | None = None
    candidates: frozenset[str] = field(default_factory=frozenset[str])


def family_word(name: str) -> str:
    """What a name tells of a family: its first word after any path and kind, lower case.

    >>> family_word("llm:gpt-5.4-mini"), family_word("llm:yes:org/Phi-4"), family_word("llama3:8b")
    ('gpt', 'phi', 'llama')
    """
    found = _WORD.search(_KIND.sub("", name).rpartition("/")[2].lower())
    return name if found is None else found.group()


_WORD = re.compile(r"[a-z]+")
_KIND = re.compile(r"^(?:llm:)?(?:yes:|pair:|peer:)?")
