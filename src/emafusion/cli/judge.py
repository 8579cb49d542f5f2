"""`emafusion judge`: how far each recorded answer can be trusted, by its recorded judges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from rich.text import Text

from emafusion.build.parts import load_artifact
from emafusion.cli.asking import Share
from emafusion.cli.printable import printable
from emafusion.cli.screen import PROSE_WIDTH, screen, show
from emafusion.domain.errors import BadInput
from emafusion.lab.judging import Standing, Worth, judge_answers, worth_of
from emafusion.lab.reading import need_polars, read_grades, read_rows
from emafusion.lab.stakes import Spend, Stake
from emafusion.replay.decisions import write_decisions, writer_of
from emafusion.replay.guarantee.powered import Mean
from emafusion.tables.read import Read


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    tables: tuple[str, ...]
    judges: tuple[str, ...]
    artifact: str | None
    answer_value_usd: float | None
    spend: float | None
    threshold: float | None
    out: str | None
    skip_bad: bool
    as_json: bool

    def stake(self) -> Stake | Spend | None:
        """When to stop asking; None to hear every judge."""
        value = self.answer_value_usd
        if self.spend is not None:
            if value is not None:
                raise BadInput("does not go with --answer-value-usd", where="--spend")
            return Spend(share=self.spend, threshold=self.threshold)
        return None if value is None else Stake(value_usd=value, threshold=self.threshold)


@click.command(
    "judge",
    epilog="Example: emafusion judge answers.parquet --judges grades.parquet --artifact fitted",
)
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option("--judges", metavar="TABLE", multiple=True, required=True,
              help="recorded grades of LLM judges")  # fmt: skip
@click.option("--artifact", metavar="DIR",
              help="folder of a fitted artifact  [default: the shipped one]")  # fmt: skip
@click.option("--answer-value-usd", metavar="USD", type=click.FloatRange(min=0, min_open=True),
              help="worth of a right answer: judges are heard one by one while it pays  "
              "[default: all are heard]")  # fmt: skip
@click.option("--spend", metavar="SHARE", type=Share(),
              help="share of what all judges cost that is spent, on whatever answers and judges "
              "it tells most  [default: all of it]")  # fmt: skip
@click.option("--threshold", metavar="P", type=Share(),
              help="probability from which an answer is taken  "
              "[default: any is as likely]")  # fmt: skip
@click.option("--out", metavar="OUT", help="write each confidence: .parquet, .jsonl or .csv")
@click.option("--skip-bad", is_flag=True, help="leave bad rows out and count them")
@click.option("--json", "as_json", is_flag=True, help="print every figure as JSON")
def command(**options: object) -> None:
    """Say how far each graded answer of TABLE can be trusted, and what the judges are worth.

    The panel of the artifact puts the grades together, by the code that is served. Where TABLE has
    scores the panel is compared with each judge alone and with the plain mean of their ranks.
    """
    asked = msgspec.convert(options, _Options)
    need_polars("judge")
    if asked.out is not None:
        writer_of(Path(asked.out))
    frame = _told(read_rows([Path(table) for table in asked.tables], skip_bad=asked.skip_bad))
    grades = _told(read_grades([Path(table) for table in asked.judges], skip_bad=asked.skip_bad))
    judged = judge_answers(
        frame.frame, load_artifact(asked.artifact), judges=grades.frame, stake=asked.stake()
    )
    if asked.out is not None:
        write_decisions(judged.frame(), Path(asked.out))
    worth = worth_of(judged)
    if asked.as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(worth), indent=2))
        return
    for line in _lines(worth):
        show(screen(), Text(printable(line)), width=PROSE_WIDTH)


def _lines(worth: Worth) -> Iterator[str]:
    apart = f"{worth.judges} judges worth {worth.effective:.1f} that err apart"
    yield f"{worth.answers:,} answers, {apart}."
    heard = f"Judges heard for an answer: {worth.median_judges:g} (median)"
    cost = worth.cost_share
    yield f"{heard}." if cost is None else f"{heard}, at {cost:.0%} of what all of them cost."
    if worth.relative:
        yield "Confidence is relative: no label was seen, so it ranks answers and tells no level."
    if worth.mean is not None and worth.by_labels is not None:
        told = f"{_mean(worth.mean)} by {worth.mean.labels:,} labels and every confidence"
        yield f"Mean score of all answers: {told}; {_mean(worth.by_labels)} by the labels alone."
    if not worth.scored:
        yield "No scores: nothing to compare with."
        return
    yield f"How well {worth.scored:,} scored answers are ranked (AUC):"
    for standing in worth.standings:
        yield f"  {_standing(standing)}"
    if worth.alone is not None:
        yield f"  {_standing(worth.alone)}"
        yield "The panel reads an answer beside the others to its query, as labels bear that out."


def _mean(mean: Mean) -> str:
    return f"{mean.mean:.3f} ({mean.low:.3f} to {mean.high:.3f})"


def _standing(standing: Standing) -> str:
    rank = "-" if standing.auc is None else f"{standing.auc:.3f}"
    if standing.calibration_error is None:
        return f"{rank}  {standing.name}"
    return f"{rank}  {standing.name}, calibration error {standing.calibration_error:.3f}"


def _told(read: Read) -> Read:
    """The table; what was left out of it is told."""
    for note in read.notes():
        if not note.startswith("columns not used"):  # a table may carry whatever it likes
            click.echo(f"emafusion: {note}", err=True)
    return read
