"""The report of a replay, from what was replayed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emafusion.lab.overlap import seen_among
from emafusion.lab.replaying import Asked, Replayed
from emafusion.replay.report.collect import report_of, sha256_of
from emafusion.replay.report.figures import Head, Report
from emafusion.replay.run import Run
from emafusion.replay.summary import Summary
from emafusion.store.artifact import Artifact
from emafusion.version import __version__

MOST_KINDS = 40
"""More data sets than this make no heat map that anybody could read: then by the task."""


TRANSFER = "none: fitted for each data set on all others"
"""What a report of `--transfer` says of its artifact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a report is about.

    `table`: what the table is called; `artifact`: what decided, None for priors alone; `transfer`:
    whether each data set was left out of a fit instead; `others`: runs of other policies over the
    same table, by name.
    """

    table: str
    artifact: Artifact | None
    transfer: bool = False
    others: Mapping[str, Sequence[Run]] = field(default_factory=dict[str, Sequence[Run]])


def report_on(replayed: Replayed, summary: Summary, asked: Asked, *, about: About) -> Report:
    """Everything that a report shows."""
    artifact = None if about.transfer else about.artifact
    records = replayed.records
    head = Head(
        table=about.table,
        artifact=TRANSFER if about.transfer else _title(artifact),
        version=__version__,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        seed=asked.seed,
        notes=notes_of(replayed, artifact),
        sha256=sha256_of(records),
        artifact_sha256=None if artifact is None else artifact.digest,
        transfer=about.transfer,
    )
    return report_of(
        records, replayed.runs, summary, head=head, kinds=_kinds(replayed), others=about.others
    )


def _title(artifact: Artifact | None) -> str:
    return "none" if artifact is None else f"{artifact.card.title}, {artifact.card.created}"


def notes_of(replayed: Replayed, artifact: Artifact | None) -> tuple[str, ...]:
    """What the figures of a replay cannot show, a line each."""
    records, strangers, told = replayed.records, replayed.strangers, list[str]()
    prompts = [query.prompt for query in records.queries]
    seen = 0 if artifact is None else seen_among(artifact.arrays, prompts)
    if seen:
        told.append(f"fitted on {seen:,} of these {len(prompts):,} prompts: figures are too good")
    if replayed.told:
        one = f"{replayed.told:,} of {len(prompts):,} queries"
        told.append(f"the router was told the data set of {one}; --ignore-dataset: text alone")
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
