"""Tells of local models that load in the background."""

from __future__ import annotations

import asyncio
import time

import click

from emafusion.build.local_models import LocalModel
from emafusion.build.upstreams import Deployments
from emafusion.domain.errors import Unready


async def tell_loaded(deployments: Deployments) -> None:
    """Say on standard error when each local model answers, or why it does not.

    Raises `Unready` with the reason where there is no other model that could answer.
    """
    servers = deployments.servers
    told = await asyncio.gather(*(_loaded(name, server) for name, server in servers.items()))
    reasons = [reason for reason in told if reason is not None]
    if reasons and len(reasons) == len(deployments.upstreams):
        raise Unready(reasons[0])
    for reason in reasons:
        click.echo(f"emafusion: {reason}", err=True)


async def _loaded(name: str, server: LocalModel) -> str | None:
    """None once it answers, else why it cannot."""
    started = time.perf_counter()
    try:
        await server.wait_ready()
    except Unready as error:
        return str(error)
    seconds = time.perf_counter() - started
    which = name.partition(":")[2] or "the embedded one"
    click.echo(f"local model loaded in {seconds:.1f} s: {which}", err=True)
    return None
