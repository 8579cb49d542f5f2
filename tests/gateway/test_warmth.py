"""What a change of models in a conversation would lose, as the gateway remembers it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from emafusion.domain.attempt import Attempt, Usage
from emafusion.domain.evidence import Evidence
from emafusion.domain.features import Estimates
from emafusion.domain.model import Candidate, Price
from emafusion.flow.warm import warmed
from emafusion.gateway.warmth import KEPT_S, Warmth
from emafusion.testing import candidate, said

PRICE = Price(prompt_usd_per_mtok=2.0, completion_usd_per_mtok=8.0, cached_prompt_usd_per_mtok=0.2)


def cached(name: str, *, provider: str = "openai") -> Candidate:
    """A candidate whose provider caches prompts."""
    plain = candidate(name)
    return replace(plain, model=replace(plain.model, price=PRICE, provider=provider))


A, B, PLAIN = cached("a"), cached("b", provider="anthropic"), candidate("plain")


def read_by(name: str, usage: Usage) -> Evidence:
    """One answer by a candidate, for which its provider read a prompt."""
    answer = said("hello", by=name)
    assert answer.reply is not None
    attempt: Attempt = structs.replace(answer, reply=replace(answer.reply, usage=usage))
    return Evidence(attempts=(attempt,))


LONG = Usage(prompt_tokens=5_000)


def noted(warmth: Warmth, evidence: Evidence, conversation: str = "talk-7") -> None:
    """Remember it at second 0."""
    warmth.note(conversation, evidence, candidates=(A, B, PLAIN), now_s=0.0)


def test_the_next_turn_finds_who_read_the_last() -> None:
    """In its own conversation alone."""
    warmth = Warmth()
    noted(warmth, read_by("a", LONG))
    assert dict(warmth.of("talk-7", now_s=1.0)) == {"a": 5_000}
    assert not warmth.of("talk-8", now_s=1.0)


def test_what_is_inherited_is_older_than_what_is_known() -> None:
    """Another config begins with what the one before it knew."""
    before, warmth = Warmth(), Warmth()
    noted(before, read_by("a", LONG))
    noted(before, read_by("a", LONG), "talk-8")
    noted(warmth, read_by("a", Usage(prompt_tokens=6_000)))
    warmth.inherit(before)
    assert dict(warmth.of("talk-7", now_s=1.0)) == {"a": 6_000}
    assert dict(warmth.of("talk-8", now_s=1.0)) == {"a": 5_000}


def test_a_cache_grows_cold() -> None:
    """After some minutes nothing is counted on."""
    warmth = Warmth()
    noted(warmth, read_by("a", LONG))
    assert not warmth.of("talk-7", now_s=KEPT_S + 1.0)


@pytest.mark.parametrize(
    ("name", "usage", "tokens"),
    [
        ("a", Usage(prompt_tokens=500), None),
        ("b", LONG, None),
        ("b", Usage(prompt_tokens=5_000, cache_write_tokens=4_000), 4_000),
        ("b", Usage(prompt_tokens=5_000, cached_prompt_tokens=4_500), 4_500),
        ("plain", LONG, None),
    ],
)
def test_only_what_saves_money_is_remembered(name: str, usage: Usage, tokens: int | None) -> None:
    """Short prompts, unknown prices and caches that nobody asked for save nothing."""
    warmth = Warmth()
    noted(warmth, read_by(name, usage))
    found = dict(warmth.of("talk-7", now_s=1.0))
    assert found == ({} if tokens is None else {name: tokens})


@given(
    costs=st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=2, max_size=2),
    tokens=st.integers(0, 10_000_000),
    prompt=st.integers(0, 1_000_000),
)
def test_a_warm_cache_only_ever_lowers_a_known_cost(
    costs: list[float], tokens: int, prompt: int
) -> None:
    """Never below 0, never for the others, and what is unknown stays unknown."""
    n = len(costs)
    before = Estimates(
        candidates=("a", "plain"), quality=np.full(n, 0.5), quality_sd=np.full(n, 0.1),
        cost_usd=np.array(costs), latency_s=np.full(n, 1.0), familiarity=1.0, route="learned",
        basis=("", ""),
    )  # fmt: skip
    after = warmed(before, (A, PLAIN), {"a": tokens}, prompt_tokens=prompt)
    assert np.isnan(after.cost_usd).tolist() == np.isnan(before.cost_usd).tolist()
    known = ~np.isnan(before.cost_usd)
    assert (after.cost_usd[known] <= before.cost_usd[known]).all()
    assert (after.cost_usd[known] >= 0.0).all()
    assert np.array_equal(after.cost_usd[1:], before.cost_usd[1:], equal_nan=True)
