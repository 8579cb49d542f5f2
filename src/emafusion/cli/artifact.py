"""`emafusion artifact`: what is in an artifact, and what another one changes."""

from __future__ import annotations

import click
import msgspec

from emafusion.cli.artifact_card import show_card
from emafusion.cli.artifact_diff import show_difference
from emafusion.cli.screen import screen
from emafusion.lab.comparing import compare
from emafusion.lab.describing import artifact_named, describe


@click.group("artifact", epilog="Example: emafusion artifact show fitted")
def command() -> None:
    """Look into an artifact: what was learned, from what, and what it is worth.

    An artifact is a folder that `emafusion fit` wrote; `default` names the one that ships.
    """


@command.command(
    "show",
    short_help="what it was made from, and what it knows",
    epilog="Example: emafusion artifact show fitted",
)
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--all", "everything", is_flag=True, help="every model and figure, and the arrays")
@click.option("--json", "as_json", is_flag=True, help="everything as one JSON object")
def show(*, folder: str | None, everything: bool, as_json: bool) -> None:
    """Show the card of an artifact, its models and its size.

    Without DIR the one that ships with the package.
    """
    told = describe(artifact_named(folder))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
    else:
        show_card(screen(), told, everything=everything)


@command.command(
    "diff",
    short_help="what another one changes",
    epilog="Example: emafusion artifact diff default fitted",
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--all", "everything", is_flag=True, help="every figure, ability, score and move")
@click.option("--json", "as_json", is_flag=True, help="everything as one JSON object")
def diff(*, before: str, after: str, everything: bool, as_json: bool) -> None:
    """Show what artifact B changes against A: models, figures, abilities, scores, decisions.

    The reference queries of B are planned with both, over the models that both know, at a
    quality_weight of 0.5 and the catalog's prices: how many would be asked of another model first?
    """
    told = compare(artifact_named(before), artifact_named(after))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
    else:
        show_difference(screen(), told, everything=everything)
