"""The report of a replay, from what was replayed."""

from __future__ import annotations

import datetime as dt

from emafusion.lab.overlap import seen_among
from emafusion.lab.replaying import Asked, Replayed
from emafusion.replay.report.collect import report_of, sha256_of
from emafusion.replay.report.figures import Head, Report
from emafusion.replay.summary import Summary
from emafusion.store.artifact import Artifact
from emafusion.version import __version__

MOST_KINDS = 40
"""More data sets than this make no heat map that anybody could read: then by the task."""


TRANSFER = "none: fitted for each data set on all others"
"""What a report of `--transfer` says of its artifact."""


def report_on(
    replayed: Replayed,
    summary: Summary,
    asked: Asked,
    *,
    table: str,
    artifact: Artifact | None,
    transfer: bool = False,
) -> Report:
    """Everything that a report shows. `table`: what the table is called; `transfer`: see `Head`."""
    records, digest = replayed.records, None
    if artifact is not None and not transfer:
        digest = artifact.digest
    head = Head(
        table=table,
        artifact=TRANSFER if transfer else _title(artifact),
        version=__version__,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        seed=asked.seed,
        notes=notes_of(replayed, None if transfer else artifact),
        sha256=sha256_of(records),
        artifact_sha256=digest,
        transfer=transfer,
    )
    return report_of(records, replayed.runs, summary, head=head, kinds=_kinds(replayed))


def _title(artifact: Artifact | None) -> str:
    return "none" if artifact is None else f"{artifact.card.title}, {artifact.card.created}"


def notes_of(replayed: Replayed, artifact: Artifact | None) -> tuple[str, ...]:
    """What the figures of a replay cannot show, a line each."""
    records, strangers, told = replayed.records, replayed.strangers, list[str]()
    prompts = [query.prompt for query in records.queries]
    seen = 0 if artifact is None else seen_among(artifact.arrays, prompts)
    if seen:
        told.append(f"fitted on {seen:,} of these {len(prompts):,} prompts: figures are too good")
    if strangers:
        more = f" and {len(strangers) - 5} more" if strangers[5:] else ""
        told.append(f"not in the artifact, priors alone: {', '.join(strangers[:5])}{more}")
    if records.repeated:
        told.append(f"{records.repeated:,} repeated answers left out")
    unpriced = replayed.unpriced
    if unpriced and len(unpriced) < len(records.models):
        more = f" and {len(unpriced) - 5} more" if unpriced[5:] else ""
        told.append(f"no recorded cost, counted as dearest: {', '.join(unpriced[:5])}{more}")
    return tuple(told)


def _kinds(replayed: Replayed) -> tuple[str, tuple[str, ...]]:
    """The class of each query for the heat map: its data set where the table names several."""
    datasets = replayed.records.datasets
    if 1 < len(set(datasets)) <= MOST_KINDS:
        return "dataset", datasets
    return "task", replayed.classes["task"]
