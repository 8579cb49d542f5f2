"""`emafusion fit`: an artifact from tables of recorded answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec
from rich.text import Text

from emafusion.cli.printable import printable
from emafusion.cli.screen import PROSE_WIDTH, say, screen, show
from emafusion.cli.vectors import vectors_by
from emafusion.domain.errors import BadInput
from emafusion.lab.encoding import HASHED, check_encoders
from emafusion.lab.fitting import ENCODER, LEARNED_VIEW, Wish, fit
from emafusion.lab.labels import parse_labels
from emafusion.lab.reading import need_polars
from emafusion.lab.sample import located
from emafusion.lab.slow_labels import read_slow_labels
from emafusion.learn.plan import LEARNED, LearnedName
from emafusion.store.artifact import Artifact, Card, save
from emafusion.tables.read import Read, read_judges, read_outcomes

if TYPE_CHECKING:
    import polars as pl

HELD_OUT = "held out/"

LEAST_SAVING = 0.99
"""A share of the price above this is no saving worth a line."""


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    tables: tuple[str, ...]
    out: str
    judges: tuple[str, ...]
    labels: str
    learned: LearnedName
    encoders: tuple[str, ...]
    slow_labels: str | None
    config: str | None
    licence: str
    skip_bad: bool
    seed: int
    as_json: bool

    def folder(self) -> Path:
        """Where to write. Raises `BadInput`, before the work is done, where a file is there."""
        out = Path(self.out)
        if out.exists() and not out.is_dir():
            raise BadInput("is a file; name a folder for the artifact", where=str(out))
        return out


@click.command("fit", epilog="Example: emafusion fit answers.parquet --out fitted")
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option("--out", metavar="DIR", required=True, help="folder to write the artifact to")
@click.option("--judges", metavar="TABLE", multiple=True, help="recorded grades of LLM judges")
@click.option("--labels", metavar="all|none|N", default="all", show_default=True,
              help="which scores to use: all, none, or of N queries drawn by chance")  # fmt: skip
@click.option(
    "--learned",
    type=click.Choice(LEARNED),
    default="linear",
    show_default=True,
    help="what learns the learned view; auto: what served best while held out",
)
@click.option(
    "--encoder", "encoders", metavar="NAME", multiple=True, default=(HASHED,), show_default=True,
    help="what reads queries: hashed, or besides static:FILE, endpoint:NAME, onnx:FOLDER; of "
    "several, what served best while held out",
)  # fmt: skip
@click.option("--slow-labels", metavar="TABLE",
              help="what a model said of the queries' kinds, and what people say")  # fmt: skip
@click.option("--config", metavar="FILE", help="config with the embedding model of endpoint:NAME")
@click.option("--licence", metavar="NAME", default="unknown", show_default=True,
              help="of the tables, for the card")  # fmt: skip
@click.option("--skip-bad", is_flag=True, help="leave bad rows out and count them")
@click.option("--seed", type=int, default=0, show_default=True, help="of every draw")
@click.option("--json", "as_json", is_flag=True, help="print the card as JSON")
def command(**options: object) -> None:
    """Learn from TABLE (parquet, JSONL, CSV): who answers what well, at what cost.

    The artifact holds the taxonomy, the learned router, the judge panel and the dial, and a card
    that says what it was made from and what it was worth while rows were held out. Serve with it by
    `policy: {artifact: DIR}` in the config; try it first with `emafusion replay`.
    """
    asked = msgspec.convert(options, _Options)
    out, labels = asked.folder(), parse_labels(asked.labels)
    check_encoders(asked.encoders)
    need_polars("fit")
    name = ", ".join(Path(table).stem for table in asked.tables)
    wish = Wish(
        labels=labels,
        seed=asked.seed,
        learned=asked.learned,
        encoders=asked.encoders,
        vectors_of=vectors_by(asked.config),
        slow=read_slow_labels(Path(asked.slow_labels)) if asked.slow_labels else None,
        name=name,
        licence=asked.licence,
    )
    with screen(stderr=True).status("reading") as status:
        frame, judges = _outcomes(asked), _judges(asked)
        artifact = fit(frame, wish, judges=judges, done=status.update)
    save(out, artifact.arrays, artifact.card)
    if asked.as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(artifact.card), indent=2))
        return
    for line in _lines(artifact):
        show(screen(), Text(printable(line)), width=PROSE_WIDTH)
    say(screen(), printable(f"Written to {out}. Next: emafusion replay TABLE --artifact {out}"))


def _outcomes(asked: _Options) -> pl.DataFrame:
    """The tables; who has grades to learn from may lack the texts that were graded."""
    places = [located(Path(table)) for table in asked.tables]
    prompts: Literal["needed", "optional"] = "optional" if asked.judges else "needed"
    return _told(read_outcomes(places, skip_bad=asked.skip_bad, prompts=prompts))


def _judges(asked: _Options) -> pl.DataFrame | None:
    places = [Path(table) for table in asked.judges]
    return _told(read_judges(places, skip_bad=asked.skip_bad)) if places else None


def _told(read: Read) -> pl.DataFrame:
    """The table; what was left out of it is told."""
    for note in read.notes():
        if not note.startswith("columns not used"):  # a table may carry whatever it likes
            click.echo(f"emafusion: {note}", err=True)
    return read.frame


def _lines(artifact: Artifact) -> Iterator[str]:
    """What was learned, and what it is worth."""
    card = artifact.card
    source = card.sources[0]
    models = f"{len(card.models)} model{'s' if len(card.models) != 1 else ''}"
    yield f"Learned from {source.queries:,} queries and {models} ({source.rows:,} rows)."
    yield f"Labels: {card.labels}."
    yield from card.caveats
    figures = {
        name.removeprefix(HELD_OUT): value
        for name, value in card.figures.items()
        if name.startswith(HELD_OUT)
    }
    yield from _worth(figures)
    yield from filter(None, [_rivals(card), _readers(card)])


def _rivals(card: Card) -> str | None:
    """What each way to learn brought, where several were tried."""
    told = _gains(card, LEARNED_VIEW)
    if told is None:
        return None
    return f"Learned view: {card.learned}. Points that each brings over the table alone: {told}."


def _readers(card: Card) -> str | None:
    """What each encoder brought, where several were tried."""
    told = _gains(card, ENCODER)
    return told and f"Encoder: {card.encoder}. Points that each brings over the first: {told}."


def _gains(card: Card, start: str) -> str | None:
    """Figures that begin so, where there are several."""
    gains = {
        name.removeprefix(start): value
        for name, value in card.figures.items()
        if name.startswith(start)
    }
    if len(gains) < 2:
        return None
    return ", ".join(f"{name} {gain:+.2f}" for name, gain in gains.items())


def _worth(figures: dict[str, float]) -> Iterator[str]:
    """The figures in sentences, as far as they are known."""
    best = figures.get("best single")
    if best is None:
        return
    yield (
        f"While held out, one call a query: best single model {best:.1%}, always the cheapest "
        f"{figures['always cheapest']:.1%}, best of each query {figures['oracle']:.1%}."
    )
    yield from filter(None, (_gaps(figures, name) for name in ("its cost", "a quarter of it")))
    equal = figures.get("share of its cost for equal accuracy")
    if equal and equal < LEAST_SAVING:
        yield f"Equal accuracy at 1/{1 / equal:.1f} of its price."


def _gaps(figures: dict[str, float], name: str) -> str | None:
    """What routing gains at a cost, over the best single model and over a draw by lot."""
    told: list[str] = []
    for rival in ("best single", "random mix"):
        key = f"points over {rival} at {name}"
        if key in figures:
            low, high = figures[f"{key}, low"], figures[f"{key}, high"]
            told.append(f"{figures[key]:+.1f} points over {rival} ({low:+.1f} to {high:+.1f})")
    return f"Routed at {name}: {', '.join(told)}." if told else None
