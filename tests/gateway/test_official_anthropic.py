"""The official Anthropic client's own tests pass against the gateway."""

from __future__ import annotations

import json
from pathlib import Path

import anthropic
import pytest
from tests.gateway import anthropic_says as says
from tests.gateway import official_tests
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway

LOCK = official_tests.ROOT / "locks" / "anthropic-sdist.lock"

POOL = f"""
  - {{name: {says.MODEL}, provider: anthropic, base_url: "URL", api_key_env: EMAFUSION_HOME,
     prompt_usd_per_mtok: 5, completion_usd_per_mtok: 25, context_tokens: 200000, size_b: 300,
     abilities: [tools, json_schema, images, reasoning]}}
  - {{name: model_id, provider: openai, base_url: "URL", prompt_usd_per_mtok: 50,
     completion_usd_per_mtok: 80, context_tokens: 1000, size_b: 1}}
"""
"""The models that those tests ask for."""

SNAPSHOTS = """
class SnapshotSerializerOptions: ...
class HttpxSyncSnapshotClient: ...
class HttpxAsyncSnapshotClient: ...
def pytest_addoption(parser): parser.addoption("--http-record", action="store_true")
"""
"""In place of libraries that record talks with a real server, which their conftest imports."""


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """The tests of the very version that is installed."""
    assert f"anthropic=={anthropic.__version__} " in LOCK.read_text(encoding="utf-8")
    root = official_tests.unpacked(tmp_path / "official", LOCK)
    (root / "http_snapshot").mkdir()
    for name in ("inline_snapshot.py", "http_snapshot/__init__.py", "http_snapshot/httpx.py"):
        (root / name).write_text(SNAPSHOTS + "Snapshot = dict\n", encoding="utf-8")
    return root


@pytest.fixture
def gateway(start_gateway: StartGateway, provider: Provider) -> Gateway:
    """A gateway in front of Anthropic."""
    counted = {"input_tokens": 14, "context_management": {"original_input_tokens": 20}}
    provider.canned["/count_tokens"] = ("application/json", json.dumps(counted).encode())
    provider.by_stream["/messages"] = (says.whole(), says.streamed())
    return start_gateway(models=POOL)


def passed(official: Path, gateway: Gateway, file: str, chosen: str) -> int:
    """Run some of the tests of a file."""
    env = {"TEST_API_BASE_URL": gateway.url, "PYTHONPATH": str(official)}
    return official_tests.run(
        official, file, chosen=f"({chosen}) and not aiohttp", env=env, plugins=("http_snapshot",)
    )


@pytest.mark.parametrize(
    ("file", "model"), [("test_messages.py", says.MODEL), ("beta/test_messages.py", "auto")]
)
def test_create_and_count(
    official: Path, gateway: Gateway, provider: Provider, *, file: str, model: str
) -> None:
    """`create` and `count_tokens` with every parameter: sync and async, whole, raw and streamed."""
    tests = official / "tests/api_resources" / file
    written = tests.read_text(encoding="utf-8").replace(says.MODEL, model)
    tests.write_text(written, encoding="utf-8")
    assert passed(official, gateway, file, "create or count_tokens") == 48
    assert any("inference_geo" in body for body in provider.seen)


def test_models(official: Path, gateway: Gateway) -> None:
    """Models are listed and retrieved in the shape that this client reads."""
    assert passed(official, gateway, "test_models.py", "retrieve or list") == 36
