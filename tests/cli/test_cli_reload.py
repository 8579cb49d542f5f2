"""`emafusion serve` is told to read again: its artifact at once, its config with what is known."""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import numpy as np
import pytest
from tests.cli.running import Serving, Shell
from tests.gateway.provider import Provider

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


def resting(gateway: Serving) -> set[str]:
    """Models that are left alone now, as /metrics tells."""
    with urllib.request.urlopen(f"{gateway.url}/metrics") as page:  # noqa: S310 - loopback
        lines = page.read().decode().splitlines()
    told = [line for line in lines if line.startswith("emafusion_model_resting{")]
    return {line.split('"')[1] for line in told if line.endswith(" 1.0")}


def test_another_config_knows_who_is_resting(
    serve: Serve, shell: Shell, provider: Provider
) -> None:
    """Where the model's own entry has not changed; one that has is tried anew."""
    provider.script = {"cheap": "status:503", "dear": "status:503"}
    config = shell.folder / "emafusion.yaml"
    rest = "reliability: {retries: 0, failures: 1, rest_s: 300, most_rest_s: 300}\n"
    config.write_text(config.read_text() + rest)
    gateway = serve()
    for name in ("cheap", "dear"):
        asked = {"model": name, "messages": [{"role": "user", "content": "Where?"}]}
        url = f"{gateway.url}/v1/chat/completions"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(url, json.dumps(asked).encode())  # noqa: S310 - loopback
    assert resting(gateway) == {"cheap", "dear"}
    config.write_text(config.read_text().replace("size_b: 300", "size_b: 200"))
    assert shell.run("reload").code == 0
    assert resting(gateway) == {"cheap"}
