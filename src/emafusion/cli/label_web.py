"""Asking about answers on a page: served to this machine alone, until it is told to stop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import click

from emafusion.build.promising import promised
from emafusion.cli.label_log import LabelLog
from emafusion.cli.loop import until_stopped
from emafusion.gateway.labels.desk import Desk
from emafusion.gateway.labels.page import Step
from emafusion.gateway.labels.site import LabelSite
from emafusion.gateway.server import bind, serve
from emafusion.gateway.workers.sockets import address_of
from emafusion.lab.label_worth import steps
from emafusion.store.feedback.feedback import Feedback

HOST = "127.0.0.1"
GRACE_S = 1.0


async def serve_page(log: LabelLog, desk: Desk, port: int) -> None:
    """Serve the page, on this port or any free one, until SIGINT or SIGTERM."""
    desk.draw()  # what is wrong with the log is told here and not in a browser
    listener = bind(HOST, port)
    port = address_of(listener)[1]
    token = secrets.token_urlsafe(16)
    promise = None if log.certificate is None else promised(log.certificate)

    def told(feedback: Sequence[Feedback]) -> tuple[Step, ...]:
        if promise is None:
            return steps(feedback)
        return steps(feedback, promise, log.audits(promise.since, promise.quality_weight))

    site = LabelSite(desk=desk, token=token, port=port, steps=told)

    def announce() -> None:
        click.echo(f"http://{HOST}:{port}/{token}/")
        click.echo("open this address on this machine; Ctrl-C ends it", err=True)

    serving = asyncio.ensure_future(serve(site, listener, announce, grace_s=GRACE_S))
    await until_stopped(serving, asyncio.get_running_loop().create_future())
