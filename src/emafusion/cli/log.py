"""`emafusion log`: look into the log of answered requests."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import click
import msgspec
from rich.console import Console

from emafusion.build.explaining import explained
from emafusion.cli.log_json import record_json, totals_json
from emafusion.cli.log_list import show_rows
from emafusion.cli.log_options import ROWS_SHOWN, Options, with_options
from emafusion.cli.log_story import show_story
from emafusion.cli.log_totals import show_totals
from emafusion.domain.errors import BadInput
from emafusion.replay.guarantee.logged import quality_of
from emafusion.store.filter import Filter
from emafusion.store.reading import Reader
from emafusion.store.record import OutcomeRow, Record

POLL_S = 0.25
PIPE_WIDTH = 160
"""Columns where the output is no terminal."""


@click.command("log", epilog="Example: emafusion log --since today --escalated")
@with_options
def command(**options: object) -> None:
    """Look into the log: the newest requests, or one of them in full.

    DECISION_ID is the id of a request, or the beginning or the end of it: the first column of the
    list shows the end. Conditions must hold together. A terminal of 110 columns or more shows
    route, looks and savings too, --json shows everything.
    """
    asked = msgspec.convert(options, Options)
    asked.refuse_contradictions()
    chosen = asked.filter(_now())
    with asked.open() as reader:
        if asked.export is not None:
            _export(reader, asked, chosen)
        elif asked.decision_id is not None:
            _show_one(_found(reader, asked.decision_id), asked)
        elif asked.totals:
            _show_totals(reader, asked, chosen)
        elif asked.as_json:
            _print_json(reader, asked, chosen)
        else:
            _print_table(reader, asked, chosen)


def _export(reader: Reader, asked: Options, chosen: Filter) -> None:
    """Write what was asked for to a file; how many there were goes to standard error."""
    from emafusion.cli.progress import progress
    from emafusion.tables.log_export import check_export, export_log

    path, count = Path(asked.export or ""), 0
    check_export(path, where="--export")
    whole = reader.count(chosen)
    with progress("exporting") as bar:

        def done(so_far: int) -> None:
            nonlocal count
            count = so_far
            bar(so_far, whole)

        export_log(reader.records(chosen, limit=asked.limit or None), path, done=done)
    click.echo(f"{count:,} requests in {path}", err=True)


def _found(reader: Reader, decision_id: str) -> Record:
    record = reader.get(decision_id)
    if record is None:
        raise BadInput(f"no decision {decision_id!r} in {reader.path}", where="DECISION_ID")
    return record


def _show_one(record: Record, asked: Options) -> None:
    told = explained(record, artifact=asked.artifact())
    if asked.as_json:
        click.echo(record_json(record, told))
    else:
        show_story(_console(), record, told, now=_now())


def _show_totals(reader: Reader, asked: Options, chosen: Filter) -> None:
    totals = reader.totals(chosen)
    sure = ((row.decision_id, row.confidence) for row in reader.rows(chosen))
    quality = quality_of(sure, reader.feedback())
    if asked.as_json:
        click.echo(totals_json(totals, quality))
    else:
        show_totals(_console(), totals, quality)


def _print_json(reader: Reader, asked: Options, chosen: Filter) -> None:
    """Everything that is asked for; with --follow a few, oldest first, and then what comes."""
    mark = reader.mark()
    limit = ROWS_SHOWN if asked.follow and asked.limit is None else asked.limit
    records: Iterable[Record] = reader.records(chosen, limit=limit or None)
    for record in reversed(list(records)) if asked.follow else records:
        click.echo(record_json(record))
    while asked.follow:
        mark, fresh = reader.after(mark, chosen)
        for record in fresh:
            click.echo(record_json(record))
        time.sleep(POLL_S)


def _print_table(reader: Reader, asked: Options, chosen: Filter) -> None:
    console, mark = _console(), reader.mark()
    limit = ROWS_SHOWN if asked.limit is None else asked.limit
    rows: Iterable[OutcomeRow] = reader.rows(chosen, limit=limit or None)
    shown = _print_rows(console, reversed(list(rows)) if asked.follow else rows)
    if not asked.follow:
        _tell_the_rest(reader, chosen, shown=shown)
    while asked.follow:
        mark, fresh = reader.after(mark, chosen)
        if fresh:
            show_rows(console, [record.row for record in fresh], now=_now(), header=shown == 0)
            shown += len(fresh)
        time.sleep(POLL_S)


def _print_rows(console: Console, rows: Iterable[OutcomeRow]) -> int:
    """Print rows a screenful at a time, so that any number fits into memory; how many."""
    shown = 0
    for some in _screenfuls(rows):
        show_rows(console, some, now=_now(), header=shown == 0)
        shown += len(some)
    return shown


def _screenfuls(rows: Iterable[OutcomeRow]) -> Iterator[list[OutcomeRow]]:
    left = iter(rows)
    while some := list(islice(left, 200)):
        yield some


def _tell_the_rest(reader: Reader, chosen: Filter, *, shown: int) -> None:
    """Say on standard error how much there is beside what was printed."""
    total = reader.count(chosen)
    if total == 0:
        click.echo(f"no request like that in {reader.path}", err=True)
    elif total > shown:
        click.echo(f"{shown} of {total:,} requests; --limit 0 shows all", err=True)


def _console() -> Console:
    """Standard output, in colours on a terminal only; wide where it is none."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def _now() -> datetime:
    return datetime.now().astimezone()
