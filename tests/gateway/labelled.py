"""The page of labels on a socket, over a log in a folder."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.gateway.starting import Gateway, in_thread, until
from tests.gateway.talking import Said, send

from emafusion.cli.label_log import open_label_log
from emafusion.gateway.labels.desk import Desk
from emafusion.gateway.labels.site import LabelSite
from emafusion.gateway.server import bind, serve
from emafusion.lab.label_worth import steps
from emafusion.store.feedback.feedback import Source
from emafusion.store.filter import Filter

TOKEN = "a-token-nobody-knows"


@dataclass(frozen=True, kw_only=True)
class LabelPage:
    """The page: where it is, and the desk behind it."""

    gateway: Gateway
    desk: Desk

    @property
    def url(self) -> str:
        """Its address, token and all."""
        return f"{self.gateway.url}/{TOKEN}/"

    def get(self, path: str = f"/{TOKEN}/", **headers: str) -> Said:
        """Look at it; a name of a header has `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return send(self.gateway, "GET", path, None, named)

    def post(self, fields: dict[str, str], **headers: str) -> Said:
        """Send a form."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = urlencode(fields).encode()
        return send(self.gateway, "POST", f"/{TOKEN}/", body, named)


@contextmanager
def label_page(
    log: Path, *, source: Source = "label", config: Path | None = None
) -> Iterator[LabelPage]:
    """Serve the page over a log, or over the one that a config names."""
    named = None if config is None else str(config)
    opened = open_label_log(str(log) if config is None else None, named, None)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    desk = Desk(
        reader=opened.reader,
        keep=opened.keep,
        among=Filter(lacks="audit" if source == "audit" else "label"),
        source=source,
    )

    async def work(stop: threading.Event, ready: Callable[[], None]) -> None:
        site = LabelSite(desk=desk, token=TOKEN, port=port, steps=steps)
        task = asyncio.ensure_future(serve(site, listener, ready, grace_s=1))
        await until(stop, task)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    end = in_thread(work)
    try:
        yield LabelPage(gateway=Gateway(url=f"http://127.0.0.1:{port}", log=log), desk=desk)
    finally:
        end()
        opened.reader.close()
