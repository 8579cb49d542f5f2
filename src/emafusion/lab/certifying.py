"""`certify`: a stated share of the reference's quality, promised by labels, or plainly not."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.estimate.names import canonical
from emafusion.lab.overlap import seen
from emafusion.lab.replaying import Asked, Replayed, replay
from emafusion.replay.guarantee.certificate import Certificate, Refusal
from emafusion.replay.guarantee.promise import (
    Kept,
    Setting,
    cheapest_kept,
    queries_needed,
    share_within_reach,
)
from emafusion.replay.records import Bools, Records
from emafusion.replay.run import Run
from emafusion.store.artifact import Artifact
from emafusion.tables.query import query_of
from emafusion.version import __version__

if TYPE_CHECKING:
    import polars as pl

FEWEST = 20
"""Labelled queries below which nothing is tested."""

UNLABELLED = (
    "nothing has a label (column score); without any, confidence is relative: it ranks answers and "
    "tells no level"
)
"""Why nothing is promised from judges and agreement alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be promised.

    `min_quality`: share of the reference's quality, 0..1; `confidence`: 0..1; `reference`: a model
    of the table, None for the one that the artifact holds best of those here.
    """

    min_quality: float = 0.95
    confidence: float = 0.95
    reference: str | None = None


def certify(
    frame: pl.DataFrame, artifact: Artifact, wanted: Wanted, *, asked: Asked | None = None
) -> Certificate | Refusal:
    """Find the cheapest setting of the dial at which the promise holds.

    `frame`: labelled answers, drawn as the queries that will be served; those that the artifact was
    fitted on are left out. Raises `BadInput` for a promise that is none, or where nothing is left
    that has a score.
    """
    asked = Asked() if asked is None else asked
    _check(wanted)
    frame, left_out = unseen(frame, artifact)
    if frame.is_empty():
        told = f"the artifact was fitted on all {left_out} of its queries; a promise takes others"
        raise BadInput(told, where="outcome table")
    return structs.replace(_certified(frame, artifact, wanted, asked=asked), left_out=left_out)


def _certified(
    frame: pl.DataFrame, artifact: Artifact, wanted: Wanted, *, asked: Asked
) -> Certificate | Refusal:
    replayed = replay(frame, artifact, asked)
    records = replayed.records
    if not records.is_scored:
        return _unlabelled(records, artifact, wanted)
    column = reference_of(records, artifact, wanted)
    labelled = np.isfinite(records.score[:, column])
    if int(labelled.sum()) < FEWEST:
        told = f"{int(labelled.sum())} queries with a score of {records.models[column]}"
        raise BadInput(f"{told}; at least {FEWEST} are needed", where="outcome table")
    reference = records.score[labelled, column]
    settings = [
        Setting(run.quality_weight, scores_of(run, records)[labelled]) for run in replayed.runs
    ]
    delta = 1 - wanted.confidence
    kept = cheapest_kept(settings, reference, wanted.min_quality, delta=delta, seed=asked.seed)
    wanted = replace(wanted, reference=records.models[column])
    unlabelled = _unlabelled_at(_ended(replayed.runs, kept), records, labelled)
    if kept is None:
        safest = max(settings, key=lambda setting: setting.quality_weight)
        refusal = _refusal(safest, reference, wanted, seed=asked.seed)
        return structs.replace(refusal, unlabelled=unlabelled)
    made = _certificate(replayed, artifact, wanted, kept=kept, asked=asked)
    return structs.replace(made, unlabelled=unlabelled)


def _ended(runs: Sequence[Run], kept: Kept | None) -> Run | None:
    """Where the walk along the dial ended: at the setting that failed, None where none did."""
    most = np.inf if kept is None else kept.setting.quality_weight
    below = [run for run in runs if run.quality_weight < most]
    return max(below, key=lambda run: run.quality_weight, default=None)


def _unlabelled_at(run: Run | None, records: Records, labelled: Bools) -> int:
    """Answers that a setting gives and nobody has scored, which therefore count as wrong."""
    if run is None:
        return 0
    rows = np.arange(len(records.queries))
    unknown = (run.model >= 0) & np.isnan(records.score[rows, run.model])
    return int((unknown & labelled).sum())


def unseen(frame: pl.DataFrame, artifact: Artifact) -> tuple[pl.DataFrame, int]:
    """The rows of queries that the artifact was not fitted on, and how many queries it was."""
    import polars as pl

    asked = frame.unique("query_id").select("query_id", "prompt", "messages")
    ids = asked["query_id"].to_list()
    prompts = (query_of(*row).prompt for row in asked.iter_rows())
    known = [
        name for name, is_seen in zip(ids, seen(artifact.arrays, prompts), strict=True) if is_seen
    ]
    return frame.filter(~pl.col("query_id").is_in(known)), len(known)


def _check(wanted: Wanted) -> None:
    for name in ("min_quality", "confidence"):
        value = getattr(wanted, name)
        if not 0.0 < value < 1.0:
            raise BadInput(f"{value:g} is not between 0 and 1", where=f"--{name.replace('_', '-')}")


def reference_of(records: Records, artifact: Artifact, wanted: Wanted | None = None) -> int:
    """Column of the reference: the one that is named, else the one that the artifact holds best."""
    if wanted is not None and wanted.reference is not None:
        return records.place(wanted.reference)
    known = {str(n): float(a) for n, a in _abilities(artifact)}
    return max(
        range(len(records.models)),
        key=lambda k: known.get(canonical(records.models[k]), -np.inf),
    )


def _abilities(artifact: Artifact) -> list[tuple[object, float]]:
    names = artifact.arrays.get("router/models", np.zeros(0, np.str_)).tolist()
    abilities = artifact.arrays.get("router/ability", np.zeros(0)).astype(np.float64).tolist()
    return list(zip(names, abilities, strict=True))


def scores_of(run: Run, records: Records) -> Floats:
    """Score of each answer given: float64[n]. Where there was none, or no score, it is 0."""
    rows = np.arange(len(records.queries))
    scores = np.where(run.model >= 0, records.score[rows, run.model], 0.0)
    return np.nan_to_num(scores)


def _unlabelled(records: Records, artifact: Artifact, wanted: Wanted) -> Refusal:
    """No label, no promise; what the least number of them would be."""
    delta = 1 - wanted.confidence
    least = queries_needed(np.ones(1), np.ones(1), wanted.min_quality, delta=delta)
    return Refusal(
        reason=f"{UNLABELLED}; about {least} labelled queries would do if none shows a loss",
        min_quality=wanted.min_quality,
        confidence=wanted.confidence,
        reference=records.models[reference_of(records, artifact, wanted)],
        kept=None,
        queries=0,
        queries_needed=least,
        min_quality_within_reach=None,
    )


def _refusal(safest: Setting, reference: Floats, wanted: Wanted, *, seed: int) -> Refusal:
    delta = 1 - wanted.confidence
    needed = queries_needed(safest.score, reference, wanted.min_quality, delta=delta)
    kept = float(safest.score.sum() / max(reference.sum(), 1e-12))
    reason = (
        f"too few labelled queries: {len(reference)}, about {needed} would do"
        if needed is not None
        else f"the safest setting keeps {kept:.1%} on these queries, less than was asked"
    )
    return Refusal(
        reason=reason,
        min_quality=wanted.min_quality,
        confidence=wanted.confidence,
        reference=wanted.reference or "",
        kept=kept,
        queries=len(reference),
        queries_needed=needed,
        min_quality_within_reach=share_within_reach(
            safest.score, reference, delta=delta, seed=seed
        ),
    )


def _certificate(
    replayed: Replayed, artifact: Artifact, wanted: Wanted, *, kept: Kept, asked: Asked
) -> Certificate:
    records = replayed.records
    column = records.place(wanted.reference or "")
    labelled = np.isfinite(records.score[:, column])
    weight = kept.setting.quality_weight
    run = next(run for run in replayed.runs if run.quality_weight == weight)
    return Certificate(
        min_quality=wanted.min_quality,
        confidence=wanted.confidence,
        reference=records.models[column],
        policy=asked.policy,
        quality_weight=weight,
        queries=int(labelled.sum()),
        kept=float(kept.setting.score.sum() / max(records.score[labelled, column].sum(), 1e-12)),
        p_value=kept.p_value,
        cost_usd=_mean(run.cost_usd[labelled]),
        reference_cost_usd=_mean(records.cost_usd[labelled, column]),
        models=records.models,
        date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        version=__version__,
        seed=asked.seed,
        data_sha256=_sha256(*_data(records)),
        artifact_sha256=_sha256(*(f"{k}{v.tobytes()!r}" for k, v in artifact.arrays.items())),
        prices_sha256=_sha256(*(f"{k}{v}" for k, v in sorted(asked.prices.items()))),
        artifact=artifact.digest,
        reference_score=float(records.score[labelled, column].mean()),
    )


def _data(records: Records) -> list[str]:
    """Every query's text and scores, in an order that does not depend on the table's."""
    rows = zip(records.queries, records.score, strict=True)
    return sorted(f"{query.prompt}\0{scores.tolist()}" for query, scores in rows)


def _sha256(*parts: str) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode("utf-8", "replace") + b"\n")
    return found.hexdigest()


def _mean(costs: Floats) -> float | None:
    """Mean cost, None as soon as one is unknown."""
    return None if np.isnan(costs).any() else float(costs.mean())
