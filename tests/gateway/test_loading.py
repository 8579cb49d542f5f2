"""A gateway whose only model is on this machine, while that model loads."""

from __future__ import annotations

import os
import time

import pytest
from tests.gateway.starting import StartGateway
from tests.gateway.talking import chat, send

from emafusion.upstream.local.weights import models_dir

pytestmark = pytest.mark.local_model

LOCAL = """
  - {name: smollm2-135m, provider: local}
"""


@pytest.fixture(scope="session")
def folder() -> str:
    """Where the weights are; found before a test gets a home of its own."""
    return os.environ.get("EMAFUSION_WEIGHTS_DIR") or str(models_dir(os.environ))


def test_it_says_that_it_loads_and_requests_wait(start_gateway: StartGateway, folder: str) -> None:
    """`/ready` is a 503 that says why; a request that comes now is answered, and then it is 200."""
    gateway = start_gateway(f"local: {{weights_dir: {folder}}}\n", models=LOCAL)
    loading = send(gateway, "GET", "/ready")
    assert (loading.status, loading.body["status"]) == (503, "loading")
    assert loading.body["waiting"] == {"smollm2-135m": "starting"}
    assert send(gateway, "GET", "/health").status == 200
    early = chat(gateway, model="smollm2-135m", max_tokens=4)
    assert early.status == 200
    assert early.body["choices"][0]["message"]["content"]
    ready = send(gateway, "GET", "/ready")
    for _ in range(100):
        if ready.status == 200:
            break
        time.sleep(0.1)
        ready = send(gateway, "GET", "/ready")
    assert (ready.status, ready.body["models"]) == (200, 1)
