"""What the learned router is worth on queries that it did not see: accuracy at equal money.

Usage: python benchmarks/learning/router.py TABLE.parquet [--queries N] [--family] [--only TEXT]
           [--labelled N] [--newcomer MODEL --probes N] [--learned WAY] [--encoder NAME]

TABLE has the outcome table's columns. It is cut into three parts by prompt (with --family by data
set, so that the router meets work of a kind it never saw), twice; each part is chosen for by a
router fitted on the other two, one model a query. Expected costs are those learned from the other
parts, accounts are by recorded costs. B is what the best single model (on the fitted parts) costs.
Points are percentage points of accuracy over it, at B, B/2, B/4 and B/8, with the standard error of
the first and the third; then the share of B at which the best single model's accuracy is reached.

With --labelled the router is fitted on so many queries only; with --newcomer it sees only so many
answers of that model (--probes 0: none, so that it is known by its name alone).
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec import structs

from emafusion.domain.features import Features, Floats, Ints
from emafusion.domain.model import Candidate, Model
from emafusion.domain.query import ask
from emafusion.encode.classify import ClassifierState
from emafusion.encode.encoder import HashEncoder
from emafusion.estimate.estimator import HybridEstimator
from emafusion.estimate.hybrid import Mode
from emafusion.estimate.names import canonical
from emafusion.estimate.state import RouterState
from emafusion.lab.encoding import Means, encoded
from emafusion.lab.meanings import nobody
from emafusion.learn.fit import fit_router
from emafusion.learn.groups import family_groups, folds_of, prompt_groups
from emafusion.learn.outcomes import NUMBERS, OutcomeTable, from_frame
from emafusion.learn.plan import LEARNED, Plan

Mask = npt.NDArray[np.bool_]

SHARES = (1.0, 0.5, 0.25, 0.125)
LAMBDAS = (0.0, *np.geomspace(1e-2, 1e7, 400).tolist())
MODES: tuple[Mode, ...] = ("blend", "taxonomy", "learned", "paper")
SEEDS, PARTS = (1, 2), 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A router and the part of the table that it did not see."""

    state: RouterState
    learned_on: OutcomeTable
    test: OutcomeTable
    features: tuple[Features, ...]


def main() -> None:
    """Fit on some parts, choose on another, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--family", action="store_true")
    parser.add_argument("--only", default="", help="part of the data sets' names or of `split`")
    parser.add_argument("--labelled", type=int, default=None, help="queries to fit on at most")
    parser.add_argument("--newcomer", default=None, help="a model with few answers")
    parser.add_argument("--probes", type=int, default=50, help="answers seen of the newcomer")
    parser.add_argument("--learned", choices=LEARNED, default="linear")
    parser.add_argument("--encoder", default="hashed", help="hashed or static:FILE, as fit has it")
    parser.add_argument("--right", type=float, default=None, help="scores from here on count as 1")
    asked = parser.parse_args()
    table = _read(asked)
    gains: dict[str, list[Floats]] = defaultdict(list)
    equal: dict[str, list[float]] = defaultdict(list)
    for part in _parts(table, asked):
        for name, quality, cost in _policies(part):
            points, share = _score(part, quality, cost)
            gains[name].append(points)
            equal[name].append(share)
    print(f"{len(table.prompts)} queries, {len(table.models)} models")
    for name, found in gains.items():
        points = 100 * np.concatenate(found)
        error = points.std(axis=0) / np.sqrt(len(table.prompts))
        told = " ".join(f"{each:+.2f}" for each in points.mean(axis=0))
        print(f"{name:12} {told} (se {error[0]:.2f} {error[2]:.2f}) B/{np.mean(equal[name]):.1f}")


def _read(asked: argparse.Namespace) -> OutcomeTable:
    """Queries drawn by chance, models that have prices (where any has) and nearly all answers."""
    frame = pl.read_parquet(asked.table)
    if asked.only:
        names = [name for name in ("dataset", "split") if name in frame.columns]
        frame = frame.filter(pl.any_horizontal(pl.col(names).str.contains(asked.only)))
    if asked.right is not None:
        frame = frame.with_columns((pl.col("score") >= asked.right).cast(pl.Float64))
    table = from_frame(frame)
    answered = np.isfinite(table.score).mean(axis=0) > 0.9
    priced = np.isfinite(table.cost_usd).mean(axis=0) > 0.95
    kept = answered & priced if priced.any() else answered
    models = [name for name, keep in zip(table.models, kept, strict=True) if keep]
    table = from_frame(frame.filter(pl.col("model").is_in([*_spellings(frame, models)])))
    drawn = np.random.default_rng(0).permutation(len(table.prompts))[: asked.queries]
    return table.take(np.isin(np.arange(len(table.prompts)), drawn))


def _thinned(rest: Mask, labelled: int | None, *, seed: int) -> Mask:
    """So many of the queries, drawn by chance."""
    places = np.flatnonzero(rest)
    drawn = np.random.default_rng(seed).permutation(places)[:labelled]
    return np.isin(np.arange(len(rest)), drawn)


def _with_newcomer(table: OutcomeTable, asked: argparse.Namespace, *, seed: int) -> OutcomeTable:
    """The table with only so many answers of the newcomer."""
    if asked.newcomer is None:
        return table
    column = table.models.index(canonical(asked.newcomer))
    hidden = np.random.default_rng(seed).permutation(len(table.prompts))[asked.probes :]
    columns = {name: getattr(table, name).copy() for name in NUMBERS}
    for matrix in columns.values():
        matrix[hidden, column] = np.nan
    return replace(table, **columns)


def _spellings(frame: pl.DataFrame, models: list[str]) -> Iterator[str]:
    """Names of the frame whose canonical spelling is among the models."""
    for name in frame["model"].unique().to_list():
        if from_frame(frame.filter(pl.col("model") == name).head(1)).models[0] in models:
            yield name


def _parts(table: OutcomeTable, asked: argparse.Namespace) -> Iterator[Part]:
    """Fit a router for each part of each seed."""
    means = Means(plain=HashEncoder(ClassifierState.blank()), ask=nobody)
    read = encoded(asked.encoder, [ask(prompt) for prompt in table.prompts], means)
    features = read.features
    groups = family_groups(table.datasets) if asked.family else prompt_groups(table.prompts)
    for seed in SEEDS:
        folds = folds_of(groups, PARTS, seed=seed)
        for fold in range(PARTS):
            here, rest = folds == fold, folds != fold
            started = time.perf_counter()
            rest = _thinned(rest, asked.labelled, seed=seed)
            learned_on = _with_newcomer(table.take(rest), asked, seed=seed)
            plan = Plan(learned=asked.learned, vectors=read.vectors)
            fitted = fit_router(learned_on, _take(features, rest), plan)
            state = fitted.state
            seconds = time.perf_counter() - started
            print(
                f"fitted on {int(rest.sum())} queries in {seconds:.1f} s, "
                f"{fitted.chosen}, {state.blend}"
            )
            yield Part(
                state=state,
                learned_on=learned_on,
                test=table.take(here),
                features=_take(features, here),
            )


def _take(features: tuple[Features, ...], rows: np.ndarray) -> tuple[Features, ...]:
    return tuple(features[i] for i in np.flatnonzero(rows).tolist())


def _policies(part: Part) -> Iterator[tuple[str, Floats, Floats]]:
    """Name, predicted quality and expected cost of each policy: float64[n, m]."""
    for mode in MODES:
        yield mode, *_predicted(part, part.features, mode)
    named = zip(part.features, part.test.datasets, strict=True)
    given = tuple(structs.replace(each, dataset=name) for each, name in named)
    yield "class given", *_predicted(part, given, "blend")
    means = np.nanmean(part.learned_on.score, axis=0)
    cost = np.broadcast_to(_means(part.learned_on.cost_usd), part.test.score.shape)
    yield "task table", _by_task(part, means), cost
    yield "one quality", np.broadcast_to(means, cost.shape), cost


def _predicted(part: Part, features: tuple[Features, ...], mode: Mode) -> tuple[Floats, Floats]:
    pool = tuple(
        Candidate(name=n, model=Model(name=n, provider="p"), deployment="d", remote_name=n)
        for n in part.test.models
    )
    estimator = HybridEstimator(
        part.state, lambda _usage, _price: None, mode=mode, recorded_costs=True
    )
    found = estimator.estimate_many(features, pool)
    return np.array([e.quality for e in found]), np.array([e.cost_usd for e in found])


def _by_task(part: Part, means: Floats) -> Floats:
    """Mean quality by data set, of all where it was never seen."""
    datasets, asked = np.array(part.learned_on.datasets), np.array(part.test.datasets)
    quality = np.tile(means, (len(asked), 1))
    for name in set(part.test.datasets) & set(part.learned_on.datasets):
        quality[asked == name] = _means(part.learned_on.score[datasets == name])
    return quality


def _means(values: Floats) -> Floats:
    """Column means without NaN, 0 where there is nothing."""
    known = np.isfinite(values)
    means: Floats = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return means


def _score(part: Part, quality: Floats, expected: Floats) -> tuple[Floats, float]:
    """Gain over the best single model, float64[n, len(SHARES)], and B over its equal's cost."""
    score, cost = (_filled(getattr(part.test, name), getattr(part.learned_on, name))
                   for name in ("score", "cost_usd"))  # fmt: skip
    if not cost.any():
        cost, expected = np.ones(cost.shape), np.zeros(cost.shape)
    rows, best = np.arange(len(score)), int(np.nanmean(part.learned_on.score, axis=0).argmax())
    budget = float(cost[:, best].mean())
    tried = [(quality - lam * expected).argmax(axis=1) for lam in LAMBDAS]
    spent = np.array([cost[rows, chosen].mean() for chosen in tried])
    gains = [score[rows, tried[_first(spent, budget * part)]] - score[:, best] for part in SHARES]
    right = np.array([score[rows, chosen].mean() for chosen in tried])
    enough = spent[right >= score[:, best].mean()]
    return np.stack(gains, axis=1), budget / float(enough.min()) if len(enough) else 0.0


def _first(spent: Floats, budget: float) -> int:
    """The smallest lambda that keeps the budget, the largest where none does."""
    kept: Ints = np.flatnonzero(spent <= budget)
    return int(kept[0]) if len(kept) else len(spent) - 1


def _filled(values: Floats, learned_on: Floats) -> Floats:
    """What was not recorded, as it was on the mean of the fitted part."""
    return np.where(np.isfinite(values), values, _means(learned_on))


if __name__ == "__main__":
    main()
