"""`emafusion import`: other people's logs and benchmarks as outcome tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import msgspec

from emafusion.cli.printable import one_line
from emafusion.cli.progress import progress
from emafusion.domain.errors import BadInput
from emafusion.tables.columns import JUDGES, OUTCOMES
from emafusion.tables.importing.found import Wish
from emafusion.tables.importing.kinds import KINDS
from emafusion.tables.importing.run import Imported, Request, import_table
from emafusion.tables.write import check_out

_FLAGS: Mapping[str, str] = {
    "columns": "--map",
    "metric": "--metric",
    "chosen_filter": "--filter",
    "model": "--model",
}


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    sources: tuple[str, ...]
    out: str
    judges_out: str | None
    columns: tuple[str, ...]
    metric: str | None
    chosen_filter: str | None
    model: str | None
    skip_bad: bool
    force: bool
    as_json: bool

    def wish(self) -> Wish:
        """How to read the sources. Raises `BadInput` for what the kind has no use for."""
        for name, flag in _FLAGS.items():
            if getattr(self, name) and name not in KINDS[self.kind].wishes:
                raise BadInput(f"means nothing to the kind '{self.kind}'", where=flag)
        return Wish(
            columns=_mapped(self.columns),
            metric=self.metric,
            chosen_filter=self.chosen_filter,
            model=self.model,
        )


_HELP = """Make an outcome table of what others recorded.

SOURCE is a file, or a folder with files of that KIND:

\b
{kinds}

The table has a row for each question and model. A bad row is named with file, line and reason, and
then nothing is written, unless --skip-bad leaves out such rows. Rows that are equal in every column
are one row; several answers of a model to one question are samples.
"""


def _help() -> str:
    """The help, with every kind of the table."""
    return _HELP.format(kinds="\n".join(f"{name:<15} {kind.told}" for name, kind in KINDS.items()))


@click.command(
    "import",
    epilog="Example: emafusion import lm-eval results/ --out answers.parquet",
    help=_help(),
)
@click.argument("kind", metavar="KIND", type=click.Choice(list(KINDS)))
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--out", metavar="TABLE", required=True,
              help="table to write: .parquet, .jsonl or .csv")  # fmt: skip
@click.option("--judges-out", metavar="TABLE", help="also write grades of judges as a judge table")
@click.option("--map", "columns", metavar="OURS=THEIRS", multiple=True,
              help="our column and theirs, a dot goes into an object (jsonl)")  # fmt: skip
@click.option("--metric", metavar="NAME", help="which score counts, where there are several")
@click.option("--filter", "chosen_filter", metavar="NAME",
              help="which reading of an answer counts (lm-eval)")  # fmt: skip
@click.option("--model", metavar="NAME", help="whose answers these are, where the source says none")
@click.option("--skip-bad", is_flag=True, help="leave out bad rows and count them")
@click.option("--force", is_flag=True, help="overwrite the tables if they are there")
@click.option("--json", "as_json", is_flag=True, help="print what was done as JSON")
def command(**options: object) -> None:
    """Import; the help is made from the table of kinds."""
    asked = msgspec.convert(options, _Options)
    wish = asked.wish()
    out = Path(asked.out)
    judges_out = None if asked.judges_out is None else Path(asked.judges_out)
    check_out(out, where="--out", force=asked.force)
    if judges_out is not None:
        check_out(judges_out, where="--judges-out", force=asked.force)
        if judges_out.absolute() == out.absolute():
            raise BadInput("is the same file as --out", where="--judges-out")
    request = Request(
        importer=KINDS[asked.kind].importer,
        sources=tuple(Path(source) for source in asked.sources),
        out=out,
        judges_out=judges_out,
        wish=wish,
        skip_bad=asked.skip_bad,
    )
    with progress("importing") as done:
        imported = import_table(request, done=done)
    _tell(imported, asked)


def _mapped(pairs: tuple[str, ...]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not sign or not theirs:
            raise BadInput(f"must be OURS=THEIRS, got '{pair[:60]}'", where="--map")
        known = dict.fromkeys([*OUTCOMES.names, *JUDGES.names])
        if ours not in known:
            raise BadInput(f"no column '{ours[:60]}'; there are {', '.join(known)}", where="--map")
        if ours in columns:
            raise BadInput(f"gives {ours} twice", where="--map")
        columns[ours] = theirs
    return columns


def _tell(imported: Imported, asked: _Options) -> None:
    """The result on standard output, what was left out on standard error."""
    for note in _notes(imported):
        click.echo(f"emafusion: {one_line(note)}", err=True)
    table = imported.outcomes
    if asked.as_json:
        click.echo(msgspec.json.encode(_summary(imported, asked)))
        return
    models = f"{len(table.models):,} model{'s' if len(table.models) != 1 else ''}"
    told = (
        f"wrote {asked.out}: {table.rows:,} rows, {table.queries:,} queries, {models}; "
        f"{table.scored:,} with a score, {table.priced:,} with a cost"
    )
    if imported.grades is not None:
        told += f"; {asked.judges_out}: {imported.grades.rows:,} grades"
    click.echo(told)


def _summary(imported: Imported, asked: _Options) -> dict[str, object]:
    table, grades = imported.outcomes, imported.grades
    return {
        "kind": asked.kind,
        "file": asked.out,
        "rows": table.rows,
        "queries": table.queries,
        "models": table.models,
        "scored": table.scored,
        "priced": table.priced,
        "repeats": table.repeats,
        "skipped": imported.skipped,
        "bad": [str(row) for row in imported.bad],
        "left_out": imported.left_out,
        "judges_file": asked.judges_out,
        "grades": None if grades is None else grades.rows,
    }


def _notes(imported: Imported) -> Iterator[str]:
    if imported.skipped:
        told = "; ".join(map(str, imported.bad))
        more = ", ..." if imported.skipped > len(imported.bad) else ""
        rows = "bad row" if imported.skipped == 1 else "bad rows"
        yield f"{imported.skipped:,} {rows} left out: {told}{more}"
    if imported.outcomes.repeats:
        yield f"{imported.outcomes.repeats:,} exact repeats left out"
    for what, count in imported.left_out.items():
        yield f"{what} left out: {count:,}"
