"""Confidence that no label stands behind is told as what it is."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest
from tests.cli.running import Shell
from tests.gateway.provider import Provider

from emafusion.store.artifact import load_default, save

QUESTION = "What is the capital of Norway?"


@pytest.fixture
def unlabelled(shell: Shell) -> Shell:
    """A shell whose artifact was fitted without labels."""
    shipped = load_default()
    assert shipped is not None
    arrays = {**shipped.arrays, "panel/relative": np.ones(1)}
    save(shell.folder / "fitted", arrays, shipped.card)
    config = shell.folder / "emafusion.yaml"
    config.write_text(
        config.read_text().replace("explore_share: 0", "explore_share: 0, artifact: fitted")
    )
    return shell


def test_asking_tells_it(unlabelled: Shell, provider: Provider) -> None:
    """In the plan, under the signals, and beside the figure."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    told = unlabelled.run("ask", QUESTION, "--explain").err
    assert "learned without labels: qualities rank models, and tell no level" in told
    assert "no label was seen: confidence ranks answers, and tells no level" in told
    assert ", relative confidence 0." in told


def test_the_response_and_the_log_tell_it(unlabelled: Shell, provider: Provider) -> None:
    """Under another name, so that nobody takes it for a probability."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    facts = json.loads(unlabelled.run("ask", QUESTION, "--json").out)["emafusion"]
    assert 0.0 < facts["relative_confidence"] < 1.0
    assert "confidence" not in facts
    shown = unlabelled.run("log", facts["decision_id"]).out
    assert ", relative confidence 0." in shown
    assert "tells no level" in shown


def test_nothing_is_promised_without_labels(shell: Shell) -> None:
    """A refusal with the reason, and how many labels would do."""
    rows = [
        {"query_id": f"q{i}", "prompt": f"Is {i} even?", "model": model, "answer": "yes"}
        for i in range(30)
        for model in ("dear", "cheap")
    ]
    pl.DataFrame(rows).write_parquet(shell.folder / "table.parquet")
    done = shell.run("certify", "table.parquet", "--min-quality", "0.9")
    assert (done.code, done.err) == (1, "")
    told = " ".join(done.out.split())
    assert "confidence is relative: it ranks answers and tells no level" in told
    assert re.search(r"about \d+ labelled queries would do", told)
