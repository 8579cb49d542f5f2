"""`emafusion replay`: what a policy would have done with recorded answers, and its worth."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from emafusion.build.parts import learned_from, load_artifact
from emafusion.build.replaying import recipe_of
from emafusion.cli.asking import Share
from emafusion.cli.progress import progress
from emafusion.cli.replay_table import show_summary
from emafusion.cli.screen import screen
from emafusion.cli.vectors import vectors_by
from emafusion.domain.errors import BadInput
from emafusion.lab.parallel import replay_quickly
from emafusion.lab.prices import read_prices
from emafusion.lab.reading import need_polars, read_grades, read_rows
from emafusion.lab.replaying import DIAL, Asked, Replayed, summary_of
from emafusion.lab.reporting import About, notes_of, report_on
from emafusion.lab.slow_labels import read_slow_labels
from emafusion.lab.transfer import transfer
from emafusion.replay.decisions import decisions_of, write_decisions, writer_of
from emafusion.replay.records import records_of
from emafusion.replay.report.writing import check_report, write_report
from emafusion.store.artifact import Artifact
from emafusion.tables.query import query_of
from emafusion.tables.read import Read

if TYPE_CHECKING:
    import polars as pl


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    tables: tuple[str, ...]
    artifact: str | None
    judges: tuple[str, ...]
    policy: str
    quality_weight: tuple[float, ...]
    models: tuple[str, ...]
    prices: str | None
    skip_bad: bool
    seed: int
    decisions: str | None
    report: str | None
    beside: tuple[str, ...]
    transfer: bool
    ignore_dataset: bool
    slow_labels: str | None
    config: str | None
    as_json: bool

    def refuse(self) -> None:
        """Raise `BadInput` for what can be seen to be wrong before the work is done."""
        for policy in (self.policy, *self.beside):
            recipe_of(policy)
        if self.beside and self.report is None:
            raise BadInput("is a curve of a report, so it goes with --report", where="--beside")
        if self.transfer and self.artifact is not None:
            raise BadInput("makes its own fits, so it goes without --artifact", where="--transfer")
        if self.decisions is not None:
            writer_of(Path(self.decisions))
        if self.report is not None:
            check_report(Path(self.report))

    def asked(self) -> Asked:
        """What to replay."""
        names = [name.strip() for each in self.models for name in each.split(",")]
        return Asked(
            policy=self.policy,
            quality_weights=tuple(dict.fromkeys(self.quality_weight)) or DIAL,
            models=tuple(names) or None,
            prices=read_prices(Path(self.prices)) if self.prices else {},
            seed=self.seed,
            by_text_alone=self.ignore_dataset,
            slow=read_slow_labels(Path(self.slow_labels)).records if self.slow_labels else None,
        )


@click.command(
    "replay",
    epilog="Example: emafusion replay test.parquet --artifact fitted --decisions decisions.parquet",
)
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option(
    "--artifact", metavar="DIR", help="folder of a fitted artifact  [default: the shipped one]"
)
@click.option("--judges", metavar="TABLE", multiple=True, help="recorded grades of LLM judges")
@click.option("--policy", metavar="P", default="hybrid", show_default=True,
              help="hybrid, router, taxonomy, learned, cascade, fusion, paper, single:NAME, "
              "task-table, random-mix:A,B, oracle")  # fmt: skip
@click.option("--quality-weight", metavar="W", type=Share(), multiple=True,
              help="setting of the dial, 0 to 1, once or more  [default: 15 of them]")  # fmt: skip
@click.option("--models", metavar="NAMES", multiple=True, help="choose among these alone")
@click.option("--prices", metavar="FILE", help="replay at the prices of a YAML or JSON file")
@click.option("--skip-bad", is_flag=True, help="leave bad rows out and count them")
@click.option("--seed", type=int, default=0, show_default=True, help="of every draw")
@click.option("--decisions", metavar="OUT", help="write each decision: .parquet, .jsonl or .csv")
@click.option("--report", metavar="OUT", help="write a report: .html, .json, or pictures as .png")
@click.option("--beside", metavar="P", multiple=True,
              help="another policy whose curve the report shows, once or more")  # fmt: skip
@click.option("--transfer", is_flag=True, help="leave each data set out of a fit, and replay on it")
@click.option(
    "--ignore-dataset",
    is_flag=True,
    help="tell the router the text of a query alone, not the data set it is of",
)
@click.option("--slow-labels", metavar="TABLE", help="what a model said of the queries' kinds")
@click.option(
    "--config",
    metavar="FILE",
    help="config with the embedding model that the artifact reads queries by, if it does",
)
@click.option("--json", "as_json", is_flag=True, help="print every figure as JSON")
def command(**options: object) -> None:
    """Replay TABLE by the code that is served, and say what it is worth.

    Every query of the table goes through the served flow with recorded answers, once for each
    setting of the dial. Where the table has no scores there are decisions but no accuracy.
    """
    asked = msgspec.convert(options, _Options)
    asked.refuse()
    need_polars("replay")
    artifact, wanted = load_artifact(asked.artifact), asked.asked()
    tables = _tables(asked)
    wanted = _with_vectors(wanted, tables[0], artifact, config=asked.config)
    replayed = _replayed(tables, artifact, wanted, is_transfer=asked.transfer)
    for note in notes_of(replayed, artifact):
        click.echo(f"emafusion: {note}", err=True)
    if asked.decisions is not None:
        write_decisions(decisions_of(replayed.records, replayed.runs), Path(asked.decisions))
    summary = summary_of(replayed, seed=asked.seed)
    if asked.report is not None:
        table = ", ".join(Path(table).name for table in asked.tables)
        others = {
            policy: _replayed(
                tables, artifact, replace(wanted, policy=policy), is_transfer=asked.transfer
            ).runs
            for policy in dict.fromkeys(asked.beside)
        }
        about = About(table=table, artifact=artifact, transfer=asked.transfer, others=others)
        report = report_on(replayed, summary, wanted, about=about)
        write_report(report, Path(asked.report))
    if asked.as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(summary), indent=2))
    else:
        show_summary(screen(), summary, by_dataset=asked.transfer)


def _with_vectors(
    wanted: Asked, frame: pl.DataFrame, artifact: Artifact | None, *, config: str | None
) -> Asked:
    """With the vectors of prompts, where the artifact reads queries by an encoder outside."""
    name = learned_from(artifact).embedding
    if name is None:
        return wanted
    queries = records_of(frame, query_of, models=wanted.models).queries
    return replace(wanted, vectors=vectors_by(config)(name, queries))


def _tables(asked: _Options) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """The outcome table, and the judge table if there is one."""
    frame = _told(read_rows([Path(t) for t in asked.tables], skip_bad=asked.skip_bad))
    graded = [Path(table) for table in asked.judges]
    judges = _told(read_grades(graded, skip_bad=asked.skip_bad)) if graded else None
    return frame, judges


def _replayed(
    tables: tuple[pl.DataFrame, pl.DataFrame | None],
    artifact: Artifact | None,
    wanted: Asked,
    *,
    is_transfer: bool,
) -> Replayed:
    frame, judges = tables
    with progress(f"replaying {wanted.policy}") as done:
        if is_transfer:
            return transfer(frame, wanted, judges=judges, done=done)
        return replay_quickly(
            frame, artifact, wanted, judges=judges, processors=_processors(), done=done
        )


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _told(read: Read) -> pl.DataFrame:
    """The table; what was left out of it is told."""
    for note in read.notes():
        if not note.startswith("columns not used"):  # a table may carry whatever it likes
            click.echo(f"emafusion: {note}", err=True)
    return read.frame
