"""The official client's own tests pass against the gateway."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest
from tests.gateway import official_tests
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway

MODEL = "gpt-6-astra"
"""The model that those tests ask for."""

POOL = f"""
  - {{name: {MODEL}, provider: openai, base_url: "URL", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8, context_tokens: 100000, size_b: 300,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}}
"""


@pytest.fixture
def whole_gateway(start_gateway: StartGateway) -> Gateway:
    """A gateway whose pool has every ability and the model that those tests name."""
    return start_gateway(models=POOL)


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """The tests of the very version that is installed."""
    assert f"openai=={openai.__version__} " in official_tests.LOCK.read_text(encoding="utf-8")
    return official_tests.unpacked(tmp_path / "official")


@pytest.mark.parametrize("model", [MODEL, "auto"])
def test_create(official: Path, whole_gateway: Gateway, provider: Provider, model: str) -> None:
    """`create` with every parameter: sync and async, whole, raw and streamed, named and routed.

    The variants over aiohttp need a library that the client does not bring.
    """
    file = official / "tests/api_resources/chat/test_completions.py"
    file.write_text(file.read_text(encoding="utf-8").replace(MODEL, model), encoding="utf-8")
    env = {"TEST_API_BASE_URL": f"{whole_gateway.url}/v1"}
    passed = official_tests.run(
        official, "chat/test_completions.py", chosen="create and not aiohttp", env=env
    )
    assert passed == 32
    assert any("web_search_options" in body for body in provider.seen)


def test_models(official: Path, whole_gateway: Gateway) -> None:
    """Models are listed and retrieved, sync and async, whole and raw."""
    env = {"TEST_API_BASE_URL": f"{whole_gateway.url}/v1"}
    chosen = "(retrieve or list) and not aiohttp"
    assert official_tests.run(official, "test_models.py", chosen=chosen, env=env) == 28
