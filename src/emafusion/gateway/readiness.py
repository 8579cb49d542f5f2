"""Whether the gateway can answer, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from emafusion.domain.model import Candidate
from emafusion.gateway.ledger import Ledger


class Place(Struct, frozen=True, kw_only=True):
    """A deployment on this machine. `state`: `ready`, `starting`, `failed` ...; `reason`: why."""

    state: str
    reason: str | None = None


class Readiness(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `/ready` tells.

    `status`: `ready`; `degraded`: answers, but something is broken; `loading` or `failed`: nobody
    can answer. `models`: how many can. `waiting`: model -> state and reason. `unlogged`: answers
    given so far that could not be logged; `log`: why the last one could not. `artifact`: digest
    of the one that decides; `refused`: that another one is on disk and was not taken over;
    `promise`: that the one made by a certificate no longer holds; `limits`: that those of keys are
    held by each process alone.
    """

    status: str
    models: int
    waiting: dict[str, str] = {}
    unlogged: int = 0
    log: str | None = None
    artifact: str | None = None
    refused: str | None = None
    promise: str | None = None
    limits: str | None = None


class Decider(Struct, frozen=True, kw_only=True):
    """Who decides.

    `artifact`: its digest; `is_refused`: whether the one on disk was refused; `alarm`: why the
    promise that is served no longer holds, None where it does or none was made.
    """

    artifact: str | None = None
    is_refused: bool = False
    alarm: str | None = None


ALONE = "what keys spend cannot be counted for now; each process holds their limits by itself"

REFUSED = "the artifact on disk is wrong; the gateway's own messages say how"
"""Without the message itself, which names folders: `/ready` needs no key."""


def readiness_of(
    candidates: tuple[Candidate, ...],
    places: Mapping[str, Place],
    ledger: Ledger,
    *,
    decider: Decider | None = None,
    are_limits_shared: bool = True,
) -> Readiness:
    """Look at the pool and the log. Deployments without a place are elsewhere, so ready.

    `are_limits_shared`: whether the counters of what keys spend can be used.
    """
    decider = Decider() if decider is None else decider
    states = {c.name: places[c.deployment] for c in candidates if c.deployment in places}
    waiting = {name: place for name, place in states.items() if place.state != "ready"}
    able = len(candidates) - len(waiting)
    failed = any(place.state == "failed" for place in waiting.values())
    if able:
        broken = failed or ledger.trouble or decider.is_refused or decider.alarm
        status = "degraded" if broken or not are_limits_shared else "ready"
    else:
        loads = any(place.state != "failed" for place in waiting.values())
        status = "loading" if loads else "failed"
    return Readiness(
        status=status,
        models=able,
        waiting={name: _told(place) for name, place in waiting.items()},
        unlogged=ledger.lost,
        log=ledger.trouble,
        artifact=decider.artifact,
        refused=REFUSED if decider.is_refused else None,
        promise=decider.alarm,
        limits=None if are_limits_shared else ALONE,
    )


def _told(place: Place) -> str:
    return place.state if place.reason is None else f"{place.state}: {place.reason}"
