"""`emafusion serve` with an artifact of its own: SIGHUP has it read again at once."""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request
from collections.abc import Callable

import numpy as np
import pytest
from tests.cli.running import Serving, Shell

from emafusion.store.artifact import Artifact, load_default, save

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP there")

Serve = Callable[..., Serving]


def put(shell: Shell, number: int) -> str:
    """Put artifact `number` where the config says; its digest."""
    made = load_default()
    assert made is not None
    ability = made.arrays["router/ability"].astype(np.float64) + number / 100
    arrays = {**made.arrays, "router/ability": ability}
    save(shell.folder / "fitted", arrays, made.card)
    return Artifact(arrays=arrays, card=made.card).digest


def serving_on(gateway: Serving, digest: str) -> bool:
    """Whether that artifact decides within a second, sooner than a look would find it."""
    started = time.monotonic()
    while time.monotonic() - started < 1.5:
        with urllib.request.urlopen(f"{gateway.url}/ready") as reply:  # noqa: S310 - loopback
            if json.loads(reply.read())["artifact"] == digest:
                return True
        time.sleep(0.02)
    return False


def test_sighup_has_the_artifact_read_again(serve: Serve, shell: Shell) -> None:
    """A right one takes over at once, a wrong one is one line on stderr, and it ends as ever."""
    config = shell.folder / "emafusion.yaml"
    config.write_text(
        config.read_text().replace("explore_share: 0", "explore_share: 0, artifact: fitted")
    )
    first = put(shell, 1)
    gateway = serve()
    assert serving_on(gateway, first)
    second = put(shell, 2)
    gateway.send(signal.SIGHUP)
    assert serving_on(gateway, second)
    (shell.folder / "fitted" / "card.json").write_text("{}")
    gateway.send(signal.SIGHUP)
    time.sleep(0.5)
    assert serving_on(gateway, second)
    done = gateway.stop()
    took, refused = done.err.splitlines()
    assert (done.code, took) == (
        0,
        f"WARNING: artifact {second} decides from now on, before it was {first}",
    )
    assert refused.startswith("ERROR: fitted/card.json: not an artifact's card")
    assert refused.endswith(f"the artifact in use stays: {second}")
