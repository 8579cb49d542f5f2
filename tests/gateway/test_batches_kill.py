"""`kill -9` in the middle of a batch: another process goes on with it."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import openai
from tests.gateway.provider import Provider
from tests.gateway.test_batches import begun, content, ended, line
from tests.gateway.test_kill import _serve as started

LINES = 40


def test_a_batch_survives_kill(tmp_path: Path, provider: Provider) -> None:
    """Every line is answered in the end; none that was answered is asked again."""
    provider.script["cheap"] = "later:0.05"
    gateway, process = started(tmp_path, provider)
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=3)
    batch = begun(client, [line(f"n{n}") for n in range(LINES)])
    while len(provider.seen) < LINES // 3:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert len(provider.seen) < LINES
    gateway, process = started(tmp_path, provider)
    try:
        client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=3)
        batch = ended(client, batch, 30.0)
        assert batch.status == "completed"
        answers = content(client, batch.output_file_id)
    finally:
        process.terminate()
        process.wait(10)
    assert set(answers) == {f"n{n}" for n in range(LINES)}
    asked = Counter(body["messages"][0]["content"] for body in provider.seen)
    # Only what was under way at that moment, four at most, may have been asked twice.
    assert sum(asked.values()) - LINES <= 4
