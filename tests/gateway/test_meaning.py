"""Queries read by an embedding model: at fit, in a replay and when served, the same each time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR
from tests.lab.recorded import recorded

from emafusion.build.opening import opened
from emafusion.config import Config, parse
from emafusion.domain.errors import BadInput, Overloaded
from emafusion.domain.query import Embedding, Query, ask
from emafusion.gateway.meaning import Meaning
from emafusion.gateway.service import Asked as AskedService
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.meanings import asking
from emafusion.lab.replaying import Asked, replay
from emafusion.replay.records import records_of
from emafusion.store.artifact import Artifact, save
from emafusion.tables.query import query_of

NAME = "endpoint:small"
EMBEDDINGS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL"}
"""


def config_of(provider: Provider, more: str = EMBEDDINGS) -> Config:
    """Two models and an embedding model, all at the fake provider."""
    text = (BASE + CHEAP_AND_DEAR + more).replace("URL", provider.url)
    return parse(text, source="test", env={})


def fitted(provider: Provider, kept: Path) -> Artifact:
    """An artifact that reads queries by the embedding model."""
    ask_them = asking(kept, config_of(provider), {})
    return fit(recorded(60), Wish(encoders=(NAME,), vectors_of=ask_them))


def test_an_artifact_says_what_it_needs_and_is_replayed_by_what_was_kept(
    provider: Provider, tmp_path: Path
) -> None:
    """Every prompt is asked for once; a replay by kept vectors needs no endpoint."""
    artifact = fitted(provider, tmp_path)
    assert artifact.card.encoder == NAME
    assert artifact.arrays["router/heads/meaning"].shape[0] == 2
    asked = sum(len(body["input"]) for body in provider.seen)
    assert asked == 60
    queries = records_of(recorded(60), query_of).queries
    vectors = asking(tmp_path, Config(), {})(NAME, queries)
    wanted = Asked(policy="router", quality_weights=(0.5,), vectors=vectors)
    once, again = (replay(recorded(60), artifact, wanted).runs[0] for _ in range(2))
    np.testing.assert_array_equal(once.model, again.model)
    assert sum(len(body["input"]) for body in provider.seen) == asked
    with pytest.raises(BadInput, match="read by endpoint:small, whose vectors are not at hand"):
        replay(recorded(60), artifact, Asked(policy="router", quality_weights=(0.5,)))


async def test_a_served_query_is_read_by_its_vector_before_it_is_routed(
    provider: Provider, tmp_path: Path
) -> None:
    """The endpoint is asked once for a prompt; where it fails, the words decide alone."""
    artifact = await asyncio.to_thread(fitted, provider, tmp_path / "kept")
    save(tmp_path / "fitted", artifact.arrays, artifact.card)
    more = EMBEDDINGS + f'policy: {{explore_share: 0, artifact: "{tmp_path / "fitted"}"}}\n'
    text = BASE.replace("policy: {explore_share: 0}", "") + CHEAP_AND_DEAR + more
    config = parse(text.replace("URL", provider.url), source="test", env={})
    env = {"EMAFUSION_HOME": str(tmp_path)}
    async with opened(config, env) as found:
        service = found.service
        provider.seen.clear()

        async def answer(prompt: str) -> Query:
            query = ask(prompt)
            asked = AskedService(query=query, objective=service.objective)
            return (await service.answer(asked, service.run())).query

        first, second = await answer("What is 2 plus 3?"), await answer("What is 2 plus 3?")
        assert first.embedding is not None
        np.testing.assert_array_equal(first.embedding, second.embedding)
        assert [body["model"] for body in provider.seen].count("small") == 1
        provider.script["small"] = "status:503"
        assert (await answer("Another question")).embedding is None
        assert service.embedders.meaning is not None
        assert service.embedders.meaning.missed == 1


async def test_without_the_endpoint_the_gateway_does_not_start(
    provider: Provider, tmp_path: Path
) -> None:
    """One line: what the artifact reads queries by, and that it is not there."""
    artifact = await asyncio.to_thread(fitted, provider, tmp_path / "kept")
    save(tmp_path / "fitted", artifact.arrays, artifact.card)
    text = f'policy: {{artifact: "{tmp_path / "fitted"}"}}\nmodels:' + CHEAP_AND_DEAR
    config = parse(text.replace("URL", provider.url), source="test", env={})
    with pytest.raises(BadInput, match="read by the embedding model 'small'"):
        async with opened(config, {"EMAFUSION_HOME": str(tmp_path)}):
            pass


class Slow:
    """A reader that takes its time, or fails."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def vectors(self, texts: Sequence[str], /) -> tuple[Embedding, ...]:
        """Vectors of ones, late."""
        await asyncio.sleep(self.seconds)
        if not self.seconds:
            raise Overloaded("busy")
        return tuple(np.ones(2, np.float32) for _ in texts)

    async def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("seconds", [0.0, 5.0])
async def test_nobody_waits_longer_than_the_deadline(seconds: float) -> None:
    """A slow or failing reader leaves the query as it came, and is counted."""
    meaning = Meaning(name="x", reader=Slow(seconds), text_of=str, deadline_s=0.02)
    query = await meaning.given(ask("a text"))
    assert query.embedding is None
    assert meaning.missed == 1
    empty = await meaning.given(ask(""))
    assert empty.embedding is None
    assert meaning.missed == 1
