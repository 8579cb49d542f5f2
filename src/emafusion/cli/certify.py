"""`emafusion certify`: a share of the best model's quality, promised by labels, or plainly not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from rich.text import Text

from emafusion.build.parts import load_artifact
from emafusion.build.replaying import recipe_of
from emafusion.cli.asking import Share
from emafusion.cli.main import FAILED
from emafusion.cli.printable import printable
from emafusion.cli.screen import PROSE_WIDTH, screen, show
from emafusion.domain.errors import BadInput
from emafusion.lab.certifying import Wanted, certify
from emafusion.lab.reading import need_polars, read_table
from emafusion.lab.replaying import DIAL, Asked
from emafusion.replay.guarantee.certificate import Certificate, Refusal


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    tables: tuple[str, ...]
    artifact: str | None
    min_quality: float
    confidence: float
    reference: str | None
    policy: str
    quality_weight: tuple[float, ...]
    seed: int
    out: str | None
    as_json: bool


@click.command(
    "certify",
    epilog="Example: emafusion certify held-out.parquet --artifact fitted --min-quality 0.95",
)
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option("--artifact", metavar="DIR", help="folder of a fitted artifact")
@click.option("--min-quality", metavar="Q", type=Share(), default=0.95, show_default=True,
              help="share of the reference's quality to keep")  # fmt: skip
@click.option("--confidence", metavar="C", type=Share(), default=0.95, show_default=True,
              help="of the promise")  # fmt: skip
@click.option("--reference", metavar="MODEL", help="whose quality  [default: the most able model]")
@click.option("--policy", metavar="P", default="hybrid", show_default=True, help="as in replay")
@click.option("--quality-weight", metavar="W", type=Share(), multiple=True,
              help="settings of the dial to test  [default: 15 of them]")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="of the order of the test")
@click.option("--out", metavar="FILE", help="write the certificate as JSON")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def command(**options: object) -> None:
    """Promise a share of the reference's quality on queries like those of TABLE, or say why not.

    TABLE holds labelled answers that the artifact was not fitted on. The dial is tested from its
    safest end to the cheapest setting that passes; whatever the data look like, the promise is
    wrong with a chance of 1 - C at most. "Cannot promise" ends with exit code 1, and says how many
    labelled queries would do, or what share is within reach.
    """
    asked = msgspec.convert(options, _Options)
    recipe_of(asked.policy)
    need_polars("certify")
    artifact = load_artifact(asked.artifact)
    if artifact is None:
        raise BadInput("none ships with this package; name one that was fitted", where="--artifact")
    found = certify(
        read_table([Path(table) for table in asked.tables]),
        artifact,
        Wanted(
            min_quality=asked.min_quality,
            confidence=asked.confidence,
            reference=asked.reference,
        ),
        asked=Asked(
            policy=asked.policy, quality_weights=asked.quality_weight or DIAL, seed=asked.seed
        ),
    )
    raw = msgspec.json.format(msgspec.json.encode(found), indent=2)
    if asked.out is not None and isinstance(found, Certificate):
        Path(asked.out).write_bytes(raw + b"\n")
    if asked.as_json:
        click.echo(raw)
    else:
        for line in _told(found):
            show(screen(), Text(printable(line)), width=PROSE_WIDTH)
    if isinstance(found, Refusal):
        sys.exit(FAILED)


def _told(found: Certificate | Refusal) -> Iterator[str]:
    """The promise or the refusal in sentences."""
    if found.left_out:
        yield f"{found.left_out:,} queries that the artifact was fitted on are left out."
    if isinstance(found, Certificate):
        yield f"Certified: {found.promise}."
        yield (
            f"Seen: {found.kept:.1%} on {found.queries:,} labelled queries{_saving(found)} "
            f"(p = {found.p_value:.2g})."
        )
        yield (
            "It holds for queries drawn as these were, and is void as soon as a model, a price or "
            "the artifact changes."
        )
        if found.unlabelled:
            yield f"At the next cheaper setting {_unlabelled(found.unlabelled)}"
        return
    yield f"Cannot promise {found.min_quality:.1%} of {found.reference}: {found.reason}."
    if found.min_quality_within_reach is not None:
        within = found.min_quality_within_reach
        yield f"These labels support {within:.1%}; fresh ones are needed to promise it."
    if found.unlabelled:
        yield f"There {_unlabelled(found.unlabelled)}"


def _unlabelled(count: int) -> str:
    return f"{count:,} answers have no score and count as wrong: labels for them may help."


def _saving(found: Certificate) -> str:
    if found.cost_usd is None or not found.reference_cost_usd:
        return ""
    return f", at {found.cost_usd / found.reference_cost_usd:.1%} of the reference's price"
