"""The page of labels over a log that replicas share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gateway.labelled import label_page
from tests.store.outcomes import outcome

pytest.importorskip("psycopg", reason="needs the extra `postgres`")

from tests.state_servers.test_postgres_log import opened

CONFIG = """
models: [{name: small, provider: openai, base_url: "http://127.0.0.1:9/v1"}]
state: {postgres_env: EMA_POSTGRES}
"""


async def test_a_log_of_replicas_is_labelled_on_the_page(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said is where every replica finds it, and is not asked again."""
    log = opened(url)
    for name in ("em-0", "em-1"):
        await log.append(outcome(name, prompt=f"Is this {name}?"))
    await log.close()
    monkeypatch.setenv("EMA_POSTGRES", url)
    config = tmp_path / "shared.yaml"
    config.write_text(CONFIG)
    with label_page(tmp_path, config=config) as page:
        said = page.get()
        mine = said.headers["set-cookie"].partition(";")[0]
        first = "em-1" if b"Is this em-1?" in said.raw else "em-0"
        page.post({"id": first, "say": "wrong"}, cookie=mine)
        text = page.get(cookie=mine).raw
        assert b"Kept as wrong." in text
        assert first.encode() not in text
        assert b"Labels so far: 1" in text
        kept = list(page.desk.reader.feedback())
        assert [(each.decision_id, each.score, each.propensity) for each in kept] == [
            (first, 0.0, 1.0)
        ]
