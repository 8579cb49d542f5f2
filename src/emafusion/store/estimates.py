"""Labels, Features and Estimates -> what the log keeps of them: a few numbers, rounded."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from emafusion.domain.features import Estimates, Features, Floats, Labels
from emafusion.store.record import CandidateRecord, LabelRecord, LabelsRecord
from emafusion.store.texts import storable


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """Names of the classes on each axis, in the order of the arrays in `Labels`.

    They are written into the log, so that it can be read when the taxonomy has changed. A class
    without a name is written as its number.
    """

    task: tuple[str, ...] = ()
    depth: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    format: tuple[str, ...] = ()


def labels_record(labels: Labels, names: LabelNames) -> LabelsRecord:
    """The likeliest class on each axis with its probability, to 4 decimals."""
    return LabelsRecord(
        task=_likeliest(labels.task, names.task),
        depth=_likeliest(labels.depth, names.depth),
        domain=_likeliest(labels.domain, names.domain),
        format=_likeliest(labels.format, names.format),
    )


def pool_records(estimates: Estimates) -> tuple[CandidateRecord, ...]:
    """The pool in the order of the estimates: qualities to 5 decimals, dollars to 10."""
    columns = zip(
        estimates.candidates,
        estimates.quality.tolist(),
        estimates.quality_sd.tolist(),
        estimates.cost_usd.tolist(),
        estimates.latency_s.tolist(),
        estimates.basis or ("",) * len(estimates.candidates),
        strict=True,
    )
    return tuple(
        [
            CandidateRecord(
                candidate=name,
                quality=round(quality, 5),
                quality_sd=round(quality_sd, 5),
                cost_usd=None if cost_usd != cost_usd else round(cost_usd, 10),  # noqa: PLR0124 - NaN
                latency_s=None if latency_s != latency_s else round(latency_s, 5),  # noqa: PLR0124 - NaN
                basis=basis if basis.isascii() else storable(basis),
            )
            for name, quality, quality_sd, cost_usd, latency_s, basis in columns
        ]
    )


def features_hash(features: Features) -> str:
    """Hash of the numbers that estimates were made from, 32 hex digits."""
    whole = blake2b(digest_size=16)
    for array in (features.indices, features.weights, features.counts):
        whole.update(array.tobytes())
        whole.update(b"/")
    return whole.hexdigest()


def _likeliest(probabilities: Floats, names: tuple[str, ...]) -> LabelRecord:
    values: list[float] = probabilities.tolist()
    best = max(values)
    place = values.index(best)
    label = names[place] if place < len(names) else str(place)
    return LabelRecord(label=label, probability=round(best, 4))
