"""Keys with limits of their own, in the APIs beside chat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from tests.gateway.keyed import Keyed, bearer
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import Said, send
from tests.gateway.test_batches import begun, content, ended, line

EMBEDDINGS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.02}
  - {name: unpriced, provider: openai, base_url: "URL"}
"""


@pytest.fixture
def keyed(tmp_path: Path, provider: Provider) -> Iterator[Keyed]:
    """A folder with keys, and gateways on it."""
    made = Keyed(folder=tmp_path, provider_url=provider.url)
    yield made
    for end in made.ends:
        end()


def embed(gateway: Gateway, headers: dict[str, str], **fields: object) -> Said:
    """Ask for a vector."""
    body = json.dumps({"model": "small", "input": "a text", **fields}).encode()
    return send(gateway, "POST", "/v1/embeddings", body, headers)


def test_vectors_are_counted(keyed: Keyed, provider: Provider) -> None:
    """Money and tokens are held before the call and settled after it; nothing is overspent."""
    gateway = keyed.start(EMBEDDINGS.replace("URL", provider.url))
    rich = keyed.make("rich", budget_usd_per_day=1.0)
    said = embed(gateway, bearer(rich), input=["a"] * 100)
    assert said.status == 200
    assert keyed.usage(rich).today.usd == pytest.approx(100 * 0.02e-6)
    poor = keyed.make("poor", budget_usd_per_day=1e-9)
    refused = embed(gateway, bearer(poor))
    assert (refused.status, refused.error["code"]) == (429, "insufficient_quota")
    assert embed(gateway, bearer(rich), model="unpriced").status == 403
    narrow = keyed.make("narrow", models=["cheap"])
    assert embed(gateway, bearer(narrow)).status == 403
    assert len(provider.seen) == 1


def test_a_batch_is_its_keys(keyed: Keyed, provider: Provider) -> None:
    """Lines beyond the budget fail one by one; a key that is revoked asks nothing more."""
    provider.script["cheap"] = "Oslo"
    gateway = keyed.start()
    poor = keyed.make("poor", budget_usd_per_day=1e-9)
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=poor.secret, max_retries=0)
    batch = ended(client, begun(client, [line("a"), line("b")]))
    errors = content(client, batch.error_file_id)
    bodies = [errors[name]["response"] for name in "ab"]
    assert [body["status_code"] for body in bodies] == [429, 429]
    assert not provider.seen
    fine = keyed.make("fine", requests_per_minute=1000, tags={"team": "x"})
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=fine.secret, max_retries=0)
    batch = ended(client, begun(client, [line("a")]))
    assert batch.status == "completed"
    assert keyed.usage(fine).today.usd > 0.0
