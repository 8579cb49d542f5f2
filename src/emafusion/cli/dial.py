"""`emafusion dial`: which setting keeps a quality, a price, or suits the worth of an answer."""

from __future__ import annotations

import asyncio

import click
import msgspec
from rich.table import Table
from rich.text import Text

from emafusion.build.dialing import PoolDial, dial_of
from emafusion.build.opening import candidates_of
from emafusion.cli.asking import Share
from emafusion.cli.configured import configured
from emafusion.cli.money import dollars
from emafusion.cli.screen import PROSE_WIDTH, screen, show
from emafusion.domain.errors import BadInput
from emafusion.policy.dial import Setting

PLACES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    config: str | None
    quality_share: float | None
    reference: str | None
    usd_per_1000: float | None
    answer_value_usd: float | None
    as_json: bool


@click.command("dial", epilog="Example: emafusion dial --quality-share 0.95")
@click.option("--config", metavar="FILE", help="config file  [default: emafusion.yaml, if there]")
@click.option("--quality-share", metavar="Q", type=Share(), help="keep this share of the quality")
@click.option("--reference", metavar="MODEL", help="of this model  [default: the best one]")
@click.option(
    "--usd-per-1000", metavar="USD", type=float, help="spend at most this on 1,000 queries"
)
@click.option("--answer-value-usd", metavar="USD", type=float, help="what a right answer is worth")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def command(**options: object) -> None:
    """Find the `quality_weight` for what you want, with the quality and cost to expect there.

    Predicted on typical queries of the artifact, one call a query; calls no model. Without a wish
    it shows the dial. What cannot be had ends with exit code 2 and names what can.
    """
    asked = msgspec.convert(options, _Options)
    config = asyncio.run(configured(asked.config)).config
    pool = dial_of(config, candidates_of(config))
    if len(pool.unpriced) == len(pool.qualities):
        raise BadInput("no price of this pool is known, so it has no dial", where="models")
    settings = _settings(asked, pool)
    if asked.as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(settings), indent=2))
        return
    show(screen(), _table(settings))
    told = f"Predicted, one call a query. The best single model is {pool.best}."
    if pool.unpriced:
        told += f" Price unknown, counted as the dearest: {', '.join(pool.unpriced)}."
    show(screen(), Text(told), width=PROSE_WIDTH)


def _settings(asked: _Options, pool: PoolDial) -> tuple[Setting, ...]:
    """The settings that answer what was asked, or some along the dial."""
    wishes = (asked.quality_share, asked.usd_per_1000, asked.answer_value_usd)
    if sum(wish is not None for wish in wishes) > 1:
        raise BadInput("say one of --quality-share, --usd-per-1000, --answer-value-usd")
    if asked.reference is not None and asked.quality_share is None:
        raise BadInput("goes with --quality-share", where="--reference")
    if asked.quality_share is not None:
        return (pool.for_quality_share(asked.quality_share, asked.reference),)
    if asked.usd_per_1000 is not None:
        return (pool.dial.for_usd_per_query(asked.usd_per_1000 / 1000),)
    if asked.answer_value_usd is not None:
        return (pool.dial.for_answer_value(asked.answer_value_usd),)
    return tuple(pool.dial.at(place) for place in PLACES)


def _table(settings: tuple[Setting, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("quality_weight", "quality", "± se", "a query", "1,000 queries"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in settings:
        table.add_row(
            f"{each.quality_weight:.3g}",
            f"{each.quality:.1%}",
            f"{each.quality_se:.1%}",
            dollars(each.cost_usd),
            dollars(1000 * each.cost_usd),
        )
    return table
