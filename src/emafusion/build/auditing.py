"""A promise kept an eye on in service: audits are bet against it, and an alarm is final.

Answers are drawn at random and labelled (`emafusion label --audit`). Their losses are bet to exceed
what the promise allows; while it holds, the bet pays 1 / delta with chance delta at most, however
long one watches. After an alarm the gateway stands on the strict side, the dial at 1, until
somebody certifies again; also after a restart, since the bet is played anew from all audits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from emafusion.build.promising import Promise
from emafusion.domain.errors import EmafusionError
from emafusion.gateway.service import Service
from emafusion.store.feedback.feedback import Feedback, FeedbackStore

EVERY_S = 10.0
STRICT = 1.0

_log = logging.getLogger("emafusion")


@asynccontextmanager
async def audited(
    service: Service, promise: Promise | None, feedback: FeedbackStore | None
) -> AsyncGenerator[None, None]:
    """While inside, the promise is watched; without one, nothing is."""
    if promise is None or feedback is None:
        yield
        return
    service.objective = replace(service.objective, quality_weight=promise.quality_weight)
    auditor = Auditor(service, promise, feedback)
    await auditor.look()
    watching = asyncio.ensure_future(auditor.watch())
    try:
        yield
    finally:
        watching.cancel()


class Auditor:
    """Watches one promise."""

    def __init__(self, service: Service, promise: Promise, feedback: FeedbackStore) -> None:
        self._service = service
        self._promise = promise
        self._feedback = feedback

    async def watch(self) -> None:
        """Look every some seconds, until the alarm."""
        while self._service.alarm is None:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Play the bet on all audits there are; go to the strict side where it is won."""
        promise = self._promise
        try:
            audits = await self._feedback.audits(promise.since, promise.quality_weight)
        except EmafusionError as error:
            _log.warning("the promise cannot be audited: %s", error)
            return
        why = reason_for_alarm(promise, audits, self._service.parts.artifact)
        if why is not None:
            self._service.alarm = why
            self._service.objective = replace(self._service.objective, quality_weight=STRICT)
            _log.error("%s; from now on with quality_weight %g: certify again", why, STRICT)


def reason_for_alarm(promise: Promise, audits: list[Feedback], artifact: str | None) -> str | None:
    """Why a promise no longer holds; None as long as nothing speaks against it."""
    if artifact != promise.artifact:
        return "the promise is void: another artifact decides"
    audit = promise.audit
    for seen in audits:
        audit = audit.see(1.0 - seen.score)
    if not audit.alarmed:
        return None
    mean = sum(each.score for each in audits) / len(audits)
    return (
        f"the promise is broken ({promise.told}): {len(audits)} audited answers have a mean score "
        f"of {mean:.2f}, and {promise.least:.2f} was promised"
    )
