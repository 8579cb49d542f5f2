"""What a grade of 0 to 10 by a model judge is worth: a curve, its discount, a correlation."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from emafusion.domain.features import Floats, Ints
from emafusion.judge.curve import Curve
from emafusion.learn.panel.curves import at, curve_through, evidence_curve, slope
from emafusion.learn.panel.figures import figures
from emafusion.learn.panel.looks import FOLDS, RIGHT, Bools, fold_of

_JOINT = ("mean of grades", "panel, judges unknown", "panel, judges measured")
KNOTS: Floats = np.arange(0, 11) / 10.0
CORRELATIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grades:
    """Grades of one answer by several judges.

    `value`: float64[N, judges], grade / 10, NaN where a judge gave none; `right`: float64[N];
    `fold`: int64[N]; `judges`: names.
    """

    value: Floats
    right: Floats
    fold: Ints
    judges: tuple[str, ...]

    def of(self, judge: str) -> tuple[Floats, Floats]:
        """Values and truth where this judge graded."""
        value = self.value[:, self.judges.index(judge)]
        known = ~np.isnan(value)
        return value[known], self.right[known]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GradeFit:
    """`curve` of an unknown judge, already discounted; `discount` and `correlation` in 0..1."""

    curve: Curve
    discount: float
    correlation: float
    figures: dict[str, float]


def read_grades(table: Path, judges: Path, match: str = "") -> Grades:
    """First grades of every judge whose name matches, with the truth from the outcome table."""
    said = pl.scan_parquet(judges).filter(
        (pl.col("judge_kind") == "llm_point")
        & (pl.col("repeat") == 0)
        & pl.col("judge").str.contains(match)
        & pl.col("judge_score").is_not_null()
    )
    truth = pl.scan_parquet(table).select("query_id", "model", "score")
    rows = said.join(truth, on=["query_id", "model"]).collect()
    names = tuple(rows["judge"].unique().sort().to_list())
    wide = rows.pivot(
        on="judge", index=["query_id", "model", "score"], values="judge_score", sort_columns=True
    ).sort("query_id", "model")
    value = wide.select(names).cast(pl.Float64).to_numpy() / 10.0
    return Grades(
        value=value,
        right=(wide["score"].to_numpy() >= RIGHT).astype(np.float64),
        fold=np.array([fold_of(query_id) for query_id in wide["query_id"]], dtype=np.int64),
        judges=names,
    )


def fit_grades(known: Grades, others: Sequence[Grades], plain: Sequence[str]) -> GradeFit:
    """One curve for a judge nobody has measured.

    The pooled curve of `known`, times the mean over judge models of how far their grades bear it
    out, those of `others` included: old and weak judges pull it down, as they should. `plain`:
    names of judges of different models, for the correlation and the figures.
    """
    curve = _pooled(known, known.judges)
    slopes = [_slope(curve, grades, judge) for grades in others for judge in grades.judges]
    families = [_slope(curve, known, judge) for judge in plain] + slopes
    discount = round(float(np.mean(families)), 3)
    correlation = _correlation(known, plain, [curve] * len(plain))
    y = np.array(curve.y) * discount
    told = {
        "grades: judge models behind the discount": float(len(families)),
        "grades: discount of an unknown judge": discount,
        "grades: correlation": correlation,
    }
    return GradeFit(
        curve=curve_through(np.array(curve.x), y),
        discount=discount,
        correlation=correlation,
        figures=told | _figures(known, plain),
    )


def _pooled(grades: Grades, judges: Sequence[str]) -> Curve:
    values, rights = zip(*(grades.of(judge) for judge in judges), strict=True)
    return evidence_curve(np.concatenate(values), np.concatenate(rights), KNOTS)


def _slope(curve: Curve, grades: Grades, judge: str) -> float:
    value, right = grades.of(judge)
    return slope(right, _base(right), at(curve, value))


def _base(right: Floats) -> Floats:
    rate = float(right.mean())
    return np.full(len(right), np.log(rate / (1.0 - rate)))


def _panel(
    grades: Grades, judges: Sequence[str], curves: Sequence[Curve], *, correlation: float
) -> Floats:
    """Log-odds that these judges add to each answer, by their curves and the design effect."""
    columns = [grades.value[:, grades.judges.index(judge)] for judge in judges]
    pairs = zip(columns, curves, strict=True)
    odds = [np.where(np.isnan(v), 0.0, at(curve, np.nan_to_num(v))) for v, curve in pairs]
    count = (~np.isnan(np.stack(columns))).sum(axis=0).astype(np.float64)
    spread = 1.0 + np.maximum(count - 1.0, 0.0) * correlation
    return np.asarray(np.sum(odds, axis=0) / spread, dtype=np.float64)


def _correlation(grades: Grades, judges: Sequence[str], curves: Sequence[Curve]) -> float:
    """The design effect under which panels of two to four judges are as sure as they are right."""
    pairs = list(zip(judges, curves, strict=True))
    sets = [s for size in (2, 3, 4) for s in itertools.combinations(pairs, size)]
    base = _base(grades.right)

    def loss(correlation: float) -> float:
        total = 0.0
        for chosen in sets:
            names, own = zip(*chosen, strict=True)
            odds = base + _panel(grades, names, own, correlation=correlation)
            total += float((np.logaddexp(0.0, odds) - grades.right * odds).mean())
        return total

    return min(CORRELATIONS, key=loss)


def _figures(grades: Grades, judges: Sequence[str]) -> dict[str, float]:
    """Held out by query: each judge by its curve, the plain mean of grades, and the panel."""
    parts: dict[str, list[Floats]] = {name: [] for name in (*judges, *_JOINT)}
    rights: list[Floats] = []
    for fold in range(FOLDS):
        seen, held = _split(grades, fold)
        curve, base = _pooled(seen, seen.judges), float(_base(seen.right)[0])
        correlation = _correlation(seen, judges, [curve] * len(judges))
        rights.append(held.right)
        for judge in judges:
            parts[judge].append(_chance(base + _panel(held, (judge,), [curve], correlation=0.0)))
        columns = [held.judges.index(judge) for judge in judges]
        parts["mean of grades"].append(np.nanmean(held.value[:, columns], axis=1))
        parts["panel, judges unknown"].append(
            _chance(base + _panel(held, judges, [curve] * len(judges), correlation=correlation))
        )
        own = [_pooled(seen, [judge]) for judge in judges]
        correlation = _correlation(seen, judges, own)
        parts["panel, judges measured"].append(
            _chance(base + _panel(held, judges, own, correlation=correlation))
        )
    right = np.concatenate(rights)
    found = [figures(right, np.concatenate(p), f"grades: {name}") for name, p in parts.items()]
    return {key: value for each in found for key, value in each.items()}


def _split(grades: Grades, fold: int) -> tuple[Grades, Grades]:
    def part(rows: Bools) -> Grades:
        return Grades(
            value=grades.value[rows],
            right=grades.right[rows],
            fold=grades.fold[rows],
            judges=grades.judges,
        )

    return part(grades.fold != fold), part(grades.fold == fold)


def _chance(odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-odds))
