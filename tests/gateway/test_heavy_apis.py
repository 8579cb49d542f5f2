"""Large requests of the other APIs hold up nobody else."""

from __future__ import annotations

import json
import threading
import time

from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import send

EMBEDDINGS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.02}
"""
MANY = 30_000


TRIES = 3
"""The gateway and whoever asks share an interpreter here, and the machine with other tests."""


def slowest_s(gateway: Gateway, path: str, body: bytes) -> float:
    """Of others that ask meanwhile."""
    done: list[int] = []
    heavy = threading.Thread(target=lambda: done.append(send(gateway, "POST", path, body).status))
    waits = [0.0]
    heavy.start()
    while heavy.is_alive():
        began = time.perf_counter()
        assert send(gateway, "GET", "/health").status == 200
        waits.append(time.perf_counter() - began)
        time.sleep(0.01)
    assert done == [200]
    return max(waits)


def test_others_hardly_notice(start_gateway: StartGateway, provider: Provider) -> None:
    """Thirty thousand items, two thousand texts: whoever asks meanwhile is answered."""
    gateway = start_gateway(EMBEDDINGS.replace("URL", provider.url))
    provider.script["cheap"] = "Oslo"
    items = [{"role": ("user", "assistant")[n % 2], "content": "hello"} for n in range(MANY)]
    body = json.dumps({"model": "cheap", "input": items}).encode()
    assert any(slowest_s(gateway, "/v1/responses", body) < 0.5 for _ in range(TRIES))
    texts = json.dumps({"model": "small", "input": ["a text " * 40] * 2000}).encode()
    assert any(slowest_s(gateway, "/v1/embeddings", texts) < 0.5 for _ in range(TRIES))
