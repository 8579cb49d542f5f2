"""A certificate taken into service: read, held against what serves, and audited from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from emafusion.config import Config
from emafusion.domain.errors import BadInput
from emafusion.domain.model import Candidate
from emafusion.replay.guarantee.audit import Audit
from emafusion.replay.guarantee.certificate import Certificate, Refusal

WHERE = "objective.certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What was promised, as far as serving needs it.

    `quality_weight`: where the dial stands for it; `least`: mean score that answers are to have,
    0..1; `delta`: chance of a false alarm; `since`: Unix seconds; `artifact`: digest of the one
    that it holds for; `told`: in words.
    """

    quality_weight: float
    least: float
    delta: float
    since: float
    artifact: str
    told: str

    @property
    def audit(self) -> Audit:
        """A new audit of it."""
        return Audit.start(min(max(1.0 - self.least, 1e-6), 1.0 - 1e-6), self.delta)


def promise_of(
    config: Config, candidates: tuple[Candidate, ...], artifact: str | None
) -> Promise | None:
    """The promise that a config wants kept, None where it names none. Raises `BadInput`."""
    path = config.objective.certificate
    if path is None:
        return None
    certified = _certificate(path).policy
    served = "hybrid" if config.policy.mode in {"auto", "gain"} else config.policy.mode
    if certified != served:
        told = f"is void: it was certified for the policy {certified}, and {served} is served"
        raise BadInput(told, where=_in(path))
    return read_promise(path, candidates, artifact)


def read_promise(path: str, candidates: tuple[Candidate, ...], artifact: str | None) -> Promise:
    """Read the certificate that `emafusion certify --out` wrote.

    Raises `BadInput` where it is none, or where it is void: of another artifact or other models.
    """
    found = _certificate(path)
    promise = promised(path)
    if promise.artifact != artifact:
        raise BadInput("is void: the artifact is another one; certify again", where=_in(path))
    pool = {candidate.name for candidate in candidates}
    if pool != set(found.models):
        changed = sorted(pool.symmetric_difference(found.models))
        told = f"is void: the pool differs in {', '.join(changed)[:200]}; certify again"
        raise BadInput(told, where=_in(path))
    return promise


def promised(path: str) -> Promise:
    """The promise of a certificate, whether or not it holds for what is here. Raises `BadInput`."""
    found = _certificate(path)
    if found.artifact is None or found.reference_score is None:
        raise BadInput("is of an older version; certify again", where=_in(path))
    day = datetime.fromisoformat(found.date).replace(tzinfo=UTC)
    return Promise(
        quality_weight=found.quality_weight,
        least=found.min_quality * found.reference_score,
        delta=1.0 - found.confidence,
        since=day.timestamp(),
        artifact=found.artifact,
        told=found.promise,
    )


def _certificate(path: str) -> Certificate:
    try:
        raw = Path(path).read_bytes()
        found = msgspec.json.decode(raw, type=Certificate | Refusal)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=_in(path)) from error
    except msgspec.MsgspecError as error:
        what = "is no certificate; `emafusion certify --out FILE` writes one"
        raise BadInput(what, where=_in(path)) from error
    if isinstance(found, Refusal):
        raise BadInput(f"promises nothing: {found.reason}", where=_in(path))
    return found


def _in(path: str) -> str:
    return f"{WHERE} ({path})"
