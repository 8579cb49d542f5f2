"""`emafusion taxonomy`: which model did what kind of work how well."""

from __future__ import annotations

import click
import msgspec

from emafusion.cli.plain_table import show_prose
from emafusion.cli.screen import screen
from emafusion.cli.taxonomy_table import csv_text, rows_of, show_table
from emafusion.domain.errors import BadInput
from emafusion.lab.class_tables import ClassTable, chosen, class_tables
from emafusion.lab.describing import artifact_named


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    folder: str | None
    models: str | None
    everything: bool
    as_json: bool
    as_csv: bool

    def refuse_contradictions(self) -> None:
        """Raise `BadInput` for what cannot go together."""
        if self.as_json and self.as_csv:
            raise BadInput("does not go with --json", where="--csv")


@click.group("taxonomy", epilog="Example: emafusion taxonomy show")
def command() -> None:
    """Look at the classes of work that an artifact knows."""


@command.command(
    "show",
    short_help="each class of work with the models that are best at it",
    epilog="Example: emafusion taxonomy show --models gpt-4o,o3-mini",
)
@click.option("--artifact", "folder", metavar="DIR", help="another one than that which ships")
@click.option("--models", metavar="NAMES", help="these models only, with commas")
@click.option("--all", "everything", is_flag=True, help="every model of each class, not the best")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line, unknown = null")
@click.option("--csv", "as_csv", is_flag=True, help="the same as CSV, unknown = empty")
def show(**options: object) -> None:
    """Show each class of work with the models that are best at it.

    By data set: mean score, drawn toward the model's mean over all. By class that the router
    learned and by task of the taxonomy: the score expected at average difficulty, and how many
    points of it are due to the class. With the number of recorded outcomes; a dash where nothing
    was recorded.
    """
    asked = msgspec.convert(options, _Options)
    asked.refuse_contradictions()
    tables = class_tables(artifact_named(asked.folder).arrays)
    names = [] if asked.models is None else [name.strip() for name in asked.models.split(",")]
    if asked.models is not None:
        tables = chosen(tables, names)
    _print(tables, asked)


def _print(tables: tuple[ClassTable, ...], asked: _Options) -> None:
    if asked.as_json:
        for row in rows_of(tables):
            click.echo(msgspec.json.encode(row))
    elif asked.as_csv:
        click.echo(csv_text(tables), nl=False)
    elif not tables:
        show_prose(screen(stderr=True), "no class is known to this artifact")
    else:
        everything = asked.everything or asked.models is not None
        for place, table in enumerate(tables):
            if place:
                screen().print("")
            show_table(screen(), table, everything=everything)
