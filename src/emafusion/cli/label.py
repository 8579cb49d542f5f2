"""`emafusion label`: say of some answers whether they are right; it asks where that tells most."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console

from emafusion.cli.label_asking import ask_all, score_in
from emafusion.cli.label_log import LabelLog, open_label_log
from emafusion.cli.moment import moment
from emafusion.domain.errors import BadInput
from emafusion.gateway.labels.desk import Desk
from emafusion.store.feedback.feedback import Feedback, Source
from emafusion.store.feedback.question import question_of
from emafusion.store.filter import Filter


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be said on the command line."""

    decision_id: str | None
    verdict: str | None
    n: int
    since: str | None
    audit: bool
    web: bool
    port: int
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
@click.option("-n", "n", metavar="N", type=click.IntRange(1, 10_000), default=20, show_default=True,
              help="answers to ask about")  # fmt: skip
@click.option("--since", metavar="TIME", help="answers given from then on: today, 7d (ago) ...")
@click.option("--audit", is_flag=True, help="draw all alike, for the audit of a promise")
@click.option("--web", is_flag=True, help="ask on a page, which only this machine can open")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="port of that page  "
              "[default: any free one]")  # fmt: skip
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
    _refuse_contradictions(asked)
    log = open_label_log(asked.file, asked.path, asked.home)
    with log.reader:
        if asked.decision_id is not None:
            _keep_one(log, asked)
            return
        desk = _desk(log, asked)
        if asked.as_json:
            _print(desk)
        elif asked.web:
            _serve(log, desk, asked.port)
        else:
            _ask(log, desk)


def _refuse_contradictions(asked: Asked) -> None:
    """Raise `BadInput` for what cannot go together: nothing that was said is ignored."""
    if asked.web and (asked.as_json or asked.decision_id is not None):
        with_what = "--json" if asked.as_json else "a DECISION_ID"
        raise BadInput(f"does not go with {with_what}", where="--web")
    if asked.port and not asked.web:
        raise BadInput("is the port of the page: say --web too", where="--port")


def _keep_one(log: LabelLog, asked: Asked) -> None:
    record = log.reader.get(asked.decision_id or "")
    if record is None:
        told = f"no decision {asked.decision_id!r} in {log.reader.path}"
        raise BadInput(told, where="DECISION_ID")
    decision_id, score = record.row.decision_id, _score_of(asked.verdict)
    log.keep(
        Feedback(decision_id=decision_id, created_at=time.time(), source=asked.source, score=score)
    )
    click.echo(f"{decision_id} is {score:g}", err=True)


def _score_of(verdict: str | None) -> float:
    wanted = "say right, wrong, or a number from 0 to 1"
    if verdict is None:
        raise BadInput(wanted, where="VERDICT")
    score = score_in(verdict)
    if score < 0.0:
        raise BadInput(f"{wanted}, not {verdict[:40]!r}", where="VERDICT")
    return score


def _desk(log: LabelLog, asked: Asked) -> Desk:
    now = datetime.now(tz=UTC).astimezone()
    since = None if asked.since is None else moment(asked.since, now=now, where="--since")
    among = _audited(log, since) if asked.audit else Filter(since=since, lacks="label")
    return Desk(
        reader=log.reader,
        keep=log.keep,
        among=among,
        source=asked.source,
        wanted=asked.n,
        chance=random.Random(asked.seed),
    )


def _audited(log: LabelLog, since: float | None) -> Filter:
    """The answers that an audit is about: those that the promise is, where one is in service."""
    if log.certificate is None:
        return Filter(since=since, lacks="audit", routed=True)
    from emafusion.build.promising import promised

    promise = promised(log.certificate)
    return Filter(
        since=max(promise.since, since or 0.0),
        lacks="audit",
        routed=True,
        quality_weight=promise.quality_weight,
    )


def _print(desk: Desk) -> None:
    for each in desk.draw():
        record = desk.reader.get(each.decision_id)
        if record is not None:
            click.echo(msgspec.json.encode(question_of(record, each.chance)))


def _ask(log: LabelLog, desk: Desk) -> None:
    if not desk.draw():
        click.echo("no answer left to ask about", err=True)
        return
    ask_all(Console(highlight=False), desk)
    _sum_up(log, desk)


def _serve(log: LabelLog, desk: Desk, port: int) -> None:
    # Only here: the gateway's server, and what certify and fit know of labels.
    from emafusion.cli.label_web import serve_page
    from emafusion.cli.loop import run

    run(serve_page(log, desk, port))
    _sum_up(log, desk)


def _sum_up(log: LabelLog, desk: Desk) -> None:
    """Tell on standard error what came of it."""
    scores = list(desk.kept.values())
    right, wrong = scores.count(1.0), scores.count(0.0)
    between = len(scores) - right - wrong
    kinds = [(right, "right"), (wrong, "wrong"), (between, "in between")]
    told = ", ".join(f"{count} {name}" for count, name in kinds if count)
    labels = f"{len(scores)} label{'' if len(scores) == 1 else 's'} kept in {log.reader.path}"
    more = [f"{len(desk.skipped)} skipped"] if desk.skipped else []
    more += [f"{desk.left} of those drawn are left"] if desk.left else []
    click.echo(labels + (f": {told}" if told else "") + "".join(f"; {m}" for m in more), err=True)
    if log.certificate is not None and desk.source == "audit":
        from emafusion.build.promising import promised
        from emafusion.lab.label_worth import audit_step

        promise = promised(log.certificate)
        audit = audit_step(promise, log.audits(promise.since, promise.quality_weight))
        click.echo(f"{audit.name}: {audit.told}", err=True)
