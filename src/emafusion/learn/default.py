"""Makes the artifact that ships with the package.

    python -m emafusion.learn.default --data DIR --embedded FILE --panel DIR --out DIR

From recorded answers: of models of 2024 and 2025 on public benchmarks, of the embedded models on
generated tasks. Holds the classifier, the router, the panel, and reference queries for the dial.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import polars as pl

from emafusion.encode.encoder import HashEncoder
from emafusion.estimate.arrays import AnyArray
from emafusion.estimate.hybrid import sigmoid
from emafusion.estimate.reference import reference_arrays
from emafusion.estimate.state import RouterState
from emafusion.learn.classifier import Trained, accuracies, fit_classifier
from emafusion.learn.examples import Example, as_arrays, from_benchmark, from_seeds
from emafusion.learn.fit import encode_prompts, fit_router
from emafusion.learn.groups import folds_of, prompt_groups
from emafusion.learn.lengths import query_lengths
from emafusion.learn.outcomes import OutcomeTable, from_frame, join
from emafusion.learn.plan import Plan
from emafusion.learn.seed_prompts import seed_prompts
from emafusion.learn.weak_labels import strip_header
from emafusion.replay.tasks import Tasks, fit_tasks
from emafusion.store.artifact import Card, Source, load, save
from emafusion.version import __version__

SEEDS, BENCHMARK, REFERENCE, FOLDS = 2_400, 9_000, 200, 3

PLAN = Plan(classes="axes", class_rank=8)
"""Users' work is unlike these data sets, so the table is one of general classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recorded table: its file, licence of the source, queries taken at most, row filter."""

    file: str
    licence: str
    queries: int
    only: pl.Expr | None = None


TABLES = (
    Recorded(file="mmlu_pro", licence="Apache-2.0", queries=7_000),
    Recorded(file="reasoning_gym", licence="Apache-2.0", queries=2_000),
    Recorded(
        file="zeroeval",
        licence="Apache-2.0",
        queries=800,
        # The other part is the public GSM8K test set, which is for measuring.
        only=pl.col("dataset").str.contains("crux"),
    ),
    Recorded(file="llmrouter", licence="MIT", queries=1_500, only=pl.col("split") == "train"),
)
"""No table without a licence, and nothing of any router benchmark's own queries."""

CAVEATS = (
    (
        "The recorded models are of 2024 and 2025; a model that was not recorded gets a prior by "
        "price, family and size on their scale, and says so."
    ),
    (
        "Knowledge questions, reasoning puzzles, code prediction and short generated tasks: prose, "
        "long conversations and tool use were not recorded."
    ),
    "Class labels are weak: by data set and by generated prompts, not by people.",
    "Log-probabilities and costs of the embedded models: one machine.",
)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--embedded", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--panel", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--seed", type=int, default=7, show_default=True)
def main(*, data: Path, embedded: Path, panel: Path, out: Path, seed: int) -> None:
    """Fit everything and write the artifact."""
    tables = [_read(data / f"{each.file}.parquet", each, seed=seed) for each in TABLES]
    tables.append(from_frame(_embedded(embedded)))
    whole = join(tables)
    click.echo(f"{len(whole.prompts):,} queries, {len(whole.models)} models", err=True)
    trained, examples = _classifier(whole, seed=seed)
    encoder = HashEncoder(trained.state)
    click.echo("classifier done", err=True)
    features = encode_prompts(encoder, whole.prompts)
    router = fit_router(whole, features, PLAN).state
    click.echo("router done", err=True)
    judged = load(panel)
    arrays: dict[str, AnyArray] = {
        **trained.state.to_arrays(),
        **router.to_arrays(),
        **reference_arrays([encoder.encode(example.query) for example in _typical(examples)]),
        **judged.arrays,
        **_tasks(whole, router).to_arrays(),
    }
    files = [*(data / f"{each.file}.parquet" for each in TABLES), embedded]
    figures = _figures(trained, examples) | judged.card.figures
    save(out, arrays, _card(whole, list(map(_source, files, tables)), figures, seed=seed))
    for name, value in figures.items():
        click.echo(f"{value:10.4f}  {name}")


def _tasks(whole: OutcomeTable, router: RouterState) -> Tasks:
    """Means by task; over all of them what is expected of a query of average difficulty.

    Models answered different tables, so that their means over all they answered compare tables.
    """
    tasks = fit_tasks(whole.datasets, whole.models, score=whole.score, cost_usd=whole.cost_usd)
    score = tasks.score.copy()
    score[0] = sigmoid(router.ability - router.blend.centre)
    return replace(tasks, score=score)


def _read(path: Path, recorded: Recorded, *, seed: int) -> OutcomeTable:
    """So many queries of a table, drawn by chance, without what only its data set would tell."""
    frame = pl.read_parquet(path)
    if recorded.only is not None:
        frame = frame.filter(recorded.only)
    if recorded.file == "reasoning_gym":
        # A well-formed wrong answer scores 0.01 there: right is what scores full.
        frame = frame.with_columns((pl.col("score") >= 0.99).cast(pl.Float64).alias("score"))
    ids = frame["query_id"].unique().sort()
    kept = ids.sample(min(recorded.queries, len(ids)), seed=seed)
    frame = frame.filter(pl.col("query_id").is_in(kept.implode()))
    plain = pl.col("prompt").map_elements(strip_header, return_dtype=pl.String)
    return from_frame(frame.with_columns(plain))


def _embedded(path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path).rename({"cpu_seconds": "cpu_s"})


def _classifier(whole: OutcomeTable, *, seed: int) -> tuple[Trained, tuple[Example, ...]]:
    """Learn the classes from generated prompts and from a share of the recorded ones."""
    lengths = np.exp(query_lengths(whole.completion_tokens))
    recorded = from_benchmark(whole.prompts, whole.datasets, lengths)
    drawn: list[int] = np.random.default_rng(seed).permutation(len(recorded)).tolist()
    kept = tuple(recorded[i] for i in drawn[:BENCHMARK])
    examples: tuple[Example, ...] = from_seeds(seed_prompts(SEEDS, seed=seed)) + kept
    groups = prompt_groups([example.query.prompt for example in examples])
    return fit_classifier(as_arrays(examples), folds_of(groups, FOLDS, seed=seed)), examples


def _typical(examples: Sequence[Example]) -> list[Example]:
    """Work of every kind for the dial: as many generated examples as recorded ones."""
    parts = (examples[:SEEDS], examples[SEEDS:])
    half = REFERENCE // 2
    return [each for part in parts for each in part[:: max(1, len(part) // half)][:half]]


def _figures(trained: Trained, examples: Sequence[Example]) -> dict[str, float]:
    classes = np.array([[e.task, e.depth, e.domain, e.format] for e in examples])
    is_seed = np.array([example.group == "seeds" for example in examples])
    parts = {"generated": is_seed, "recorded": ~is_seed}
    return {
        f"classifier/{part}/{axis}": share
        for part, rows in parts.items()
        for axis, share in accuracies(trained, classes, rows).items()
    }


def _source(path: Path, table: OutcomeTable) -> Source:
    licences = {each.file: each.licence for each in TABLES}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Source(
        name=path.stem,
        rows=int(np.isfinite(table.score).sum()),
        queries=len(table.prompts),
        sha256=digest,
        licence=licences.get(path.stem, "Apache-2.0"),
    )


def _card(
    whole: OutcomeTable, sources: Sequence[Source], figures: dict[str, float], *, seed: int
) -> Card:
    return Card(
        title="What ships with the package",
        created=dt.datetime.now(dt.UTC).date().isoformat(),
        version=__version__,
        sources=tuple(sources),
        models=whole.models,
        folds="by normalised prompt; novelty by whole data sets",
        seed=seed,
        figures=figures,
        caveats=CAVEATS,
    )


if __name__ == "__main__":
    main()
