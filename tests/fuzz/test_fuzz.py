"""A few seconds of fuzzing for each reader; longer by hand, see `targets.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.fuzz.seeds import SEEDS

pytest.importorskip("atheris", reason="there is no wheel of the fuzzer for this Python")

SECONDS, TRIES = 2, 3
"""The fuzzer itself dies of a signal now and then while it instruments modules: then once more."""


@pytest.mark.parametrize("target", SEEDS)
def test_nothing_but_our_own_errors_comes_of_any_bytes(target: str, tmp_path: Path) -> None:
    """Neither another exception, nor a hang, nor memory without bound."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[target]):
        (corpus / str(number)).write_bytes(seed)
    limits = (f"-max_total_time={SECONDS}", "-timeout=30", "-rss_limit_mb=2048", "-verbosity=0")
    # By way of a shell that forks once more: else the fuzzer takes the peak of this process, which
    # the system hands on to a child, for its own, and gives up at once.
    forked = ("sh", "-c", '"$@"; exit $?', "sh")
    command = (
        *forked,
        sys.executable,
        Path(__file__).with_name("targets.py"),
        target,
        *limits,
        corpus,
    )
    for tried in range(TRIES):
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        told = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
        is_ours = done.returncode < 128 or any("libFuzzer" in line for line in told)
        if is_ours or tried == TRIES - 1:
            assert done.returncode == 0, f"{done.returncode}: {told[-40:]}"
            return
