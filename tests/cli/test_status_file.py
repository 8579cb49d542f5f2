"""The file by which a running gateway is found."""

from __future__ import annotations

import threading
from pathlib import Path

from emafusion.cli.status import Status, running


def test_a_gateway_is_found_at_every_moment_while_it_reloads(tmp_path: Path) -> None:
    """Whoever reads the file while it is written finds the old one or the new one, never none."""
    ended = threading.Event()
    with Status(tmp_path, 8080, url="http://127.0.0.1:8080") as status:

        def reload() -> None:
            for turn in range(2_000):
                status.reloaded("x" * (turn % 50))
            ended.set()

        writer = threading.Thread(target=reload)
        writer.start()
        found = []
        while not ended.is_set():
            found.append(len(list(running(tmp_path))))
        writer.join()
        assert set(found) == {1}
        ((_, told),) = running(tmp_path)
        assert told.reloads == 2_000
    assert not list(running(tmp_path))
