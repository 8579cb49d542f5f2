"""Parts of the artifact that is on disk now, tried out before anybody relies on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from emafusion.config import Config
from emafusion.domain.errors import BadInput
from emafusion.domain.model import Candidate
from emafusion.domain.query import ask
from emafusion.flow.parts import Parts
from emafusion.gateway.reload import Mark, Reloader
from emafusion.gateway.service import Service
from emafusion.store.artifact import CARD

QUESTION = "What is the capital of Norway?"


@asynccontextmanager
async def kept_new(
    service: Service, read: Callable[[], Parts], config: Config, *, seen: Mark
) -> AsyncGenerator[Reloader, None]:
    """Give a service the artifact of its config whenever there is another one.

    `read`: see `tried`; `seen`: the mark that was there before the first one was read.
    """
    reloader = Reloader(service, read, lambda: artifact_mark(config), seen=seen)
    if config.policy.artifact is None:
        yield reloader
        return
    watching = asyncio.ensure_future(reloader.watch())
    try:
        yield reloader
    finally:
        watching.cancel()


def artifact_mark(config: Config) -> Mark:
    """What changes when another artifact is put in place; None where the config names none."""
    if config.policy.artifact is None:
        return None
    try:
        found = (Path(config.policy.artifact) / CARD).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def tried(
    read: Callable[[], Parts], candidates: tuple[Candidate, ...], config: Config
) -> Callable[[], Parts]:
    """`read`, with every way that an artifact can be wrong as one clear line.

    What it gives raises `BadInput`.
    """

    def read_and_try() -> Parts:
        try:
            parts = read()
            features = parts.encoder.encode(ask(QUESTION))
            quality = parts.estimator.estimate(features, candidates).quality
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise BadInput(f"cannot be used: {error}", where=config.policy.artifact) from error
        if not np.isfinite(quality).all():
            raise BadInput("predicts no quality", where=config.policy.artifact)
        return parts

    return read_and_try
