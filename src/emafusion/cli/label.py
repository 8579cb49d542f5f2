"""`emafusion label`: say of some answers whether they are right; it asks where that tells most."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console

from emafusion.cli.label_asking import ask_about
from emafusion.cli.label_choice import Choice, choose
from emafusion.cli.label_log import log_file
from emafusion.cli.moment import moment
from emafusion.domain.errors import BadInput
from emafusion.store.feedback.feedback import Feedback, Source
from emafusion.store.feedback.sqlite_feedback import keep_feedback
from emafusion.store.filter import Filter
from emafusion.store.read import LogReader

WORDS = {"right": 1.0, "wrong": 0.0}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be said on the command line."""

    decision_id: str | None
    verdict: str | None
    n: int
    since: str | None
    audit: bool
    seed: int | None
    as_json: bool
    file: str | None
    path: str | None
    home: str | None

    @property
    def source(self) -> Source:
        """What kind of label this makes."""
        return "audit" if self.audit else "label"


@click.command("label", epilog="Example: emafusion label -n 20 --since 7d")
@click.argument("decision_id", required=False)
@click.argument("verdict", required=False)
@click.option("-n", "n", type=click.IntRange(1, 10_000), default=20, help="answers to ask about")
@click.option("--since", metavar="TIME", help="answers given from then on: today, 7d (ago) ...")
@click.option("--audit", is_flag=True, help="draw all alike, for the audit of a promise")
@click.option("--seed", type=int, help="draw the same answers again")
@click.option("--json", "as_json", is_flag=True, help="only print what it would ask about")
@click.option("--file", metavar="FILE", help="log file")
@click.option("--config", "path", metavar="FILE", help="config file that names the log")
@click.option("--home", metavar="DIR", help="folder of the log, in place of EMAFUSION_HOME")
def command(**options: object) -> None:
    """Label answers of the log: right, wrong, or a share between 0 and 1.

    Without DECISION_ID it draws some answers and asks about one after the other: rather those of
    which the judges were unsure, with a chance that is kept with the label. With DECISION_ID and
    VERDICT (right, wrong, 0 to 1) it keeps that label and asks nothing.
    """
    asked = msgspec.convert(options, Asked)
    path = log_file(asked.file, asked.path, asked.home)
    with LogReader(path) as reader:
        if asked.decision_id is not None:
            _keep_one(reader, asked)
            return
        chosen = choose(
            reader, _filter(asked), asked.n, evenly=asked.audit, chance=random.Random(asked.seed)
        )
        if asked.as_json:
            for each in chosen:
                click.echo(msgspec.json.encode(each.told))
            return
        _ask(reader, chosen, asked)


def _keep_one(reader: LogReader, asked: Asked) -> None:
    record = reader.get(asked.decision_id or "")
    if record is None:
        raise BadInput(f"no decision {asked.decision_id!r} in {reader.path}", where="DECISION_ID")
    score = score_of(asked.verdict)
    _keep(reader, record.row.decision_id, score, source=asked.source)
    click.echo(f"{record.row.decision_id} is {score:g}", err=True)


def score_of(verdict: str | None) -> float:
    """The score that a verdict means. Raises `BadInput`.

    >>> score_of("right"), score_of("0.5")
    (1.0, 0.5)
    """
    wanted = "say right, wrong, or a number from 0 to 1"
    if verdict is None:
        raise BadInput(wanted, where="VERDICT")
    try:
        score = WORDS[verdict] if verdict in WORDS else float(verdict)
    except ValueError:
        score = float("nan")
    if not 0.0 <= score <= 1.0:
        raise BadInput(f"{wanted}, not {verdict[:40]!r}", where="VERDICT")
    return score


def _ask(reader: LogReader, chosen: list[Choice], asked: Asked) -> None:
    console = Console(highlight=False)
    if not chosen:
        click.echo("no answer left to ask about", err=True)
        return
    given = 0
    for number, each in enumerate(chosen, 1):
        score = ask_about(console, each, f"{number} of {len(chosen)}")
        if score is None:
            break
        if score >= 0.0:
            chance = each.chance
            _keep(reader, each.decision_id, score, source=asked.source, chance=chance)
            given += 1
    click.echo(f"{given} labels kept in {reader.path}", err=True)


def _keep(
    reader: LogReader,
    decision_id: str,
    score: float,
    *,
    source: Source,
    chance: float | None = None,
) -> None:
    feedback = Feedback(
        decision_id=decision_id,
        created_at=time.time(),
        source=source,
        score=score,
        propensity=chance,
    )
    keep_feedback(reader.path, feedback)


def _filter(asked: Asked) -> Filter:
    now = datetime.now(tz=UTC).astimezone()
    since = None if asked.since is None else moment(asked.since, now=now, where="--since")
    return Filter(since=since, status=200)
