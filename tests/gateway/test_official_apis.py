"""The official client's own tests of the APIs beside chat pass against the gateway.

They were written for a mock server, so they ask for things that are not there. What is changed in
them: names of things become those of things that are there, what has no meaning here is left out.
"""

from __future__ import annotations

import re
from pathlib import Path

import openai
import pytest
from tests.gateway import official_tests
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway

POOL = """
  - {name: gpt-6-astra, provider: openai, base_url: "URL", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8, context_tokens: 100000, size_b: 300,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}
  - {name: gpt-3.5-turbo-instruct, provider: openai, base_url: "URL", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8, context_tokens: 100000, size_b: 300,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}
  - {name: slow, provider: openai, base_url: "URL", context_tokens: 100000}
embeddings:
  - {name: text-embedding-3-small, provider: openai, base_url: "URL"}
"""
LINE = (
    b'{"custom_id": "a", "method": "POST", "url": "/v1/responses", '
    b'"body": {"model": "slow", "input": "?"}}\n'
)
Swaps = tuple[tuple[str, str], ...]

RESPONSES: Swaps = (
    (r"(responses(?:\.with_\w+)?\.create)\(\)", r"\1(model='gpt-6-astra', input='?')"),
    (
        r"create\(\n(\s+)stream=True,\n(\s+)\)",
        r"create(stream=True, model='gpt-6-astra', input='?')",
    ),
    (r"access_programs=\{[^}]*\},", ""),
    (r"background=True,", "background=False,"),
    (r"background_options=\{[^}]*\},", ""),
    (r"context_management=\[[^\]]*\],", ""),
    (r'conversation="string",', ""),
    (r"image=\{[^}]*\},", ""),
    (r"prompt=\{[^}]*\{[^}]*\}[^}]*\},", ""),
    (r'"async": True', '"async": False'),
    (r'"defer_loading": True', '"defer_loading": False'),
    (r'previous_response_id="previous_response_id"', 'previous_response_id="RESPONSE"'),
    (r'response_id="resp_\w+"', 'response_id="RESPONSE"'),
    (r'response_id="response_id"', 'response_id="RESPONSE"'),
    (r'"resp_\w+",', '"RESPONSE",'),
)
COMPLETIONS: Swaps = ((r'suffix="[^"]*",', ""),)
FILES: Swaps = (
    (r'purpose="assistants"', 'purpose="batch"'),
    (r'purpose="purpose"', 'purpose="batch"'),
    (r'"file_id",', '"FILE",'),
    (r'after="after"', 'after="FILE"'),
    (r"limit=0", "limit=1"),
)
BATCHES: Swaps = (
    (r'input_file_id="input_file_id"', 'input_file_id="FILE"'),
    (r'"batch_id",', '"BATCH",'),
    (r'after="after"', 'after="BATCH"'),
    (r"limit=0", "limit=1"),
)
ITEMS: Swaps = (
    (r'response_id="response_id"', 'response_id="RESPONSE"'),
    (r'after="after"', 'after="ITEM"'),
    (r"limit=0", "limit=1"),
)

TESTS: dict[str, tuple[Swaps, str]] = {
    "test_responses.py": (RESPONSES, "create or retrieve"),
    "responses/test_input_items.py": (ITEMS, "list"),
    "test_completions.py": (COMPLETIONS, "create"),
    # Strict ones refuse the base64 that this client asks for where nothing else is said.
    "test_embeddings.py": ((), "create and (loose or all_params)"),
    "test_files.py": (FILES, "(create or retrieve or list) and not content"),
    "test_batches.py": (BATCHES, "create or retrieve or list or cancel"),
}
PASS = 72 + 20 + 32 + 10 + 48 + 64


@pytest.fixture
def whole_gateway(start_gateway: StartGateway) -> Gateway:
    """A gateway with every model that those tests name."""
    return start_gateway(models=POOL)


def made(gateway: Gateway) -> dict[str, str]:
    """Things that are there, by the names that stand for their ids in the tests."""
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        return ids_of(client)


def ids_of(client: openai.OpenAI) -> dict[str, str]:
    """Make one of each."""
    response = client.responses.create(model="gpt-6-astra", input="?")
    file = client.files.create(file=("in.jsonl", LINE), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
    )
    items = client.responses.input_items.list(response.id).data
    item = items[0].model_dump()["id"]
    return {"RESPONSE": response.id, "FILE": file.id, "BATCH": batch.id, "ITEM": item}


@pytest.mark.timeout(240)
def test_other_apis(tmp_path: Path, whole_gateway: Gateway, provider: Provider) -> None:
    """Sync and async, whole, raw and streamed; in one go, since each file takes a new process."""
    provider.script["slow"] = "hang"  # so that there is something to cancel
    root = official_tests.unpacked(tmp_path / "official")
    things = made(whole_gateway)
    env = {"TEST_API_BASE_URL": f"{whole_gateway.url}/v1"}
    for name, (swaps, _) in TESTS.items():
        file = root / "tests/api_resources" / name
        text = file.read_text(encoding="utf-8")
        for pattern, instead in swaps:
            text = re.sub(pattern, instead, text)
        for thing, key in things.items():
            text = text.replace(f'"{thing}"', f'"{key}"')
        file.write_text(text, encoding="utf-8")
    chosen = " or ".join(
        f"({name.rpartition('/')[2]} and ({which}))" for name, (_, which) in TESTS.items()
    )
    chosen = f"({chosen}) and not aiohttp"
    assert official_tests.run(root, *TESTS, chosen=chosen, env=env) == PASS
