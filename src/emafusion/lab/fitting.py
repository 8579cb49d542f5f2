"""`fit`: from an outcome table to an artifact that serves and replays."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from emafusion.build.parts import learned_from
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features
from emafusion.estimate.arrays import AnyArray
from emafusion.estimate.reference import reference_arrays
from emafusion.lab.labels import Labels, with_labels
from emafusion.learn.fit import Fitted, Plan, encode_prompts, fit_router
from emafusion.learn.outcomes import OutcomeTable, from_frame
from emafusion.learn.worth import worth
from emafusion.replay.tasks import fit_tasks
from emafusion.store.artifact import Artifact, Card, Source, load_default
from emafusion.version import __version__

if TYPE_CHECKING:
    import polars as pl

REFERENCE = 300
"""Queries of the table that the dial is set on."""

TEST_ONLY = "routerarena"
"""Data sets of this name are for measuring alone: nothing may be fitted on them."""

KEPT = ("encoder/", "panel/")
"""Arrays taken over from what ships with the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to fit. `name`: of the table, for the card; `licence`: of its rows."""

    labels: Labels = "all"
    seed: int = 0
    name: str = "table"
    licence: str = "unknown"


def fit(
    frame: pl.DataFrame,
    wish: Wish | None = None,
    *,
    done: Callable[[str], None] = lambda _step: None,
) -> Artifact:
    """Learn from an outcome table.

    `frame`: every column of an outcome table, as `lab.reading.whole` makes them; `done`: told each
    step as it begins. The same table, wish and version make the same arrays.

    Raises:
        BadInput: nothing to learn from, a score out of range, or rows that may not be fitted on.
    """
    wish = Wish() if wish is None else wish
    _refuse_tests(frame)
    done("reading")
    table = from_frame(with_labels(frame, wish.labels, seed=wish.seed))
    default = load_default()
    shipped: dict[str, AnyArray] = {} if default is None else dict(default.arrays)
    done("encoding")
    features = encode_prompts(learned_from(default).encoder, table.prompts)
    done("learning")
    fitted = fit_router(table, features, Plan(seed=wish.seed))
    arrays = {
        **{name: array for name, array in shipped.items() if name.startswith(KEPT)},
        **fitted.state.to_arrays(),
        **reference_arrays(_typical(features, seed=wish.seed)),
        **fit_tasks(
            table.datasets, table.models, score=table.score, cost_usd=table.cost_usd
        ).to_arrays(),
    }
    return Artifact(arrays=arrays, card=_card(frame, table, fitted, wish=wish))


def _refuse_tests(frame: pl.DataFrame) -> None:
    """Raise `BadInput` where a row is for measuring alone."""
    import polars as pl

    found = frame.filter(pl.col("dataset").str.to_lowercase().str.contains(TEST_ONLY))
    if found.height:
        told = f"{found.height:,} rows of {found['dataset'][0]!r} are for measuring alone"
        raise BadInput(f"{told}; replay them, but do not fit on them", where="outcome table")


def _typical(features: tuple[Features, ...], *, seed: int) -> list[Features]:
    """Queries drawn by chance, in the table's order."""
    drawn = np.random.default_rng(seed).permutation(len(features))[:REFERENCE]
    return [features[i] for i in sorted(drawn.tolist())]


def _card(frame: pl.DataFrame, table: OutcomeTable, fitted: Fitted, *, wish: Wish) -> Card:
    scored = int(np.isfinite(table.score).any(axis=1).sum())
    labels = {"all": f"{scored:,} labelled queries", "none": "none: quality by agreement"}.get(
        str(wish.labels), f"{scored:,} labelled queries, drawn"
    )
    return Card(
        title=f"Fitted on {wish.name}",
        created=dt.datetime.now(dt.UTC).date().isoformat(),
        version=__version__,
        sources=(
            Source(
                name=wish.name,
                rows=frame.height,
                queries=len(table.prompts),
                sha256=content_hash(frame),
                licence=wish.licence,
            ),
        ),
        models=table.models,
        folds="by normalised prompt; novelty by whole data sets",
        seed=wish.seed,
        figures={} if wish.labels == "none" else worth(table, fitted.quality, seed=wish.seed),
        caveats=(
            f"Labels: {labels}.",
            *_relative(wish),
            f"Made with numpy {np.__version__}, Python {platform.python_version()}.",
        ),
    )


def _relative(wish: Wish) -> tuple[str, ...]:
    if wish.labels != "none":
        return ()
    return (
        "Confidence is relative: agreement ranks models and answers, and says nothing of levels.",
    )


def content_hash(frame: pl.DataFrame) -> str:
    """SHA-256 of a table's rows, whatever their order."""
    rows = sorted(frame.write_ndjson().splitlines())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
