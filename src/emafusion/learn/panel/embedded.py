"""What a token log-probability of a small local model is worth: a straight line, shrunk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from emafusion.domain.features import Floats
from emafusion.judge.curve import Curve
from emafusion.learn.panel.curves import curve_through, slope
from emafusion.learn.panel.figures import figures
from emafusion.learn.panel.looks import FOLDS, RIGHT, fold_of, predicted

KNOTS: Floats = np.array((0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0))
SHRINK = 200.0
"""Answers at which half of a measured slope is believed for other models."""
_MIN_ROWS = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogprobFit:
    """`curve`: exp(mean log-probability) -> log-odds; `rows`: answers behind it."""

    curve: Curve
    rows: int
    figures: dict[str, float]


def fit_logprob(path: Path) -> LogprobFit | None:
    """The curve from recorded outcomes with `mean_logprob`; None where there are too few.

    Against the rate of the same model on the same dataset, so that a model that is sure and good
    does not vouch for one that is sure and bad.
    """
    rows = _rows(path)
    if len(rows) < _MIN_ROWS or rows["right"].n_unique() < 2:
        return None
    belief, base, right = (rows[c].to_numpy() for c in ("belief", "base", "right"))
    centre, spread = float(belief.mean()), max(float(belief.std()), 1e-3)
    fold = rows["fold"].to_numpy()
    z = (belief - centre) / spread
    held = np.zeros_like(right)
    for k in range(FOLDS):
        seen = fold != k
        held[~seen] = base[~seen] + _weight(right[seen], base[seen], z[seen]) * z[~seen]
    weight = _weight(right, base, z)
    chance, plain = 1.0 / (1.0 + np.exp(-held)), 1.0 / (1.0 + np.exp(-base))
    told = figures(right, chance, "logprob") | figures(right, plain, "logprob: rate alone")
    curve = curve_through(KNOTS, weight * (KNOTS - centre) / spread)
    return LogprobFit(curve=curve, rows=len(rows), figures=told)


def _weight(right: Floats, base: Floats, z: Floats) -> float:
    """Slope per standard deviation, ridge to 0, shrunk for other models."""
    free = slope(right, base, z, prior=0.0, ridge=5.0)
    return free * len(right) / (len(right) + SHRINK)


def _rows(path: Path) -> pl.DataFrame:
    """Answers with belief, truth, and the log-odds of their model and dataset in other folds."""
    known = pl.read_ndjson(path, infer_schema_length=None).filter(
        pl.col("mean_logprob").is_not_null() & pl.col("score").is_not_null()
    )
    fold = pl.Series("fold", [fold_of(prompt) for prompt in known["prompt"]], dtype=pl.Int64)
    rows = known.with_columns(
        fold,
        pl.col("mean_logprob").clip(upper_bound=0.0).exp().alias("belief"),
        (pl.col("score") >= RIGHT).cast(pl.Float64).alias("right"),
    )
    rate = pl.col("quality").clip(0.02, 0.98)
    return predicted(rows).with_columns((rate / (1.0 - rate)).log().alias("base"))
