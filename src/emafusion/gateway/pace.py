"""The clock of a client's connection: how long each part of a request may take to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from emafusion.gateway.limits import ClientLimits
from emafusion.upstream.watch import Watch

Phase = Literal["idle", "head", "body", "answer", "stall", "closing"]
"""What is waited for: a request, its head, its body, us, that the client takes what was written,
that it takes the last of it."""


class Pace:
    """Calls `expire(phase, limit_s)` where a client takes too long.

    Entering the phase that it is in already changes nothing, so no drip of bytes moves its end;
    a body has two: its whole time and the longest silence in it.
    """

    __slots__ = ("_limits", "_loop", "_phase", "_watch", "_within_s")

    def __init__(
        self,
        limits: ClientLimits,
        loop: asyncio.AbstractEventLoop,
        expire: Callable[[str, float], None],
    ) -> None:
        self._limits = limits
        self._loop = loop
        self._watch = Watch(loop, expire)
        self._phase: Phase = "answer"
        self._within_s: dict[Phase, float] = {
            "idle": limits.idle_s,
            "head": limits.head_s,
            "stall": limits.stall_s,
            "closing": limits.stall_s,
        }

    def enter(self, phase: Phase) -> None:
        """Begin a phase, unless it is the one that is under way; after `closing` comes none."""
        if self._phase in {phase, "closing"}:
            return
        self._phase = phase
        watch = self._watch
        watch.rest()
        if phase == "body":
            body_s = self._limits.body_s
            watch.start(self._loop.time() + body_s, body_s)
            watch.enter("body", min(self._limits.stall_s, body_s))
        elif phase != "answer":
            watch.enter(phase, self._within_s[phase])

    def came(self) -> None:
        """Bytes came: within a body the next silence begins."""
        if self._phase == "body":
            self._watch.enter("body", min(self._limits.stall_s, self._limits.body_s))

    def close(self) -> None:
        """Nothing is waited for any more."""
        self._watch.close()
