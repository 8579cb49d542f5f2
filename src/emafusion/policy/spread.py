"""How far reading an answer will move our belief in it, before it is read.

Confidence r after judging is a random number with mean q, the quality predicted. It is taken as
Beta(q k, (1 - q) k): a small k means judges that tell right from wrong, a large one judges that
say little. On 20 bins this gives every expectation a two-look plan needs in closed form.

What the judges can tell depends on whose answer they read: one with token log-probabilities says
more than one without. So there is a table for each *legibility* of answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats, Ints

BINS = 20
QUALITIES = 50
TELLING_SD = 0.1
_EACH_BIN = np.arange(BINS) * QUALITIES
"""Where the row of each bin begins in a table of `Spread.best_of`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Distribution of confidence given quality, on a grid, for each of m legibilities.

    `bins`: float64[20], centres of confidence; `chance`: float64[m, 50, 20], its distribution for
    qualities 0.01, 0.03 .. 0.99, rows sum to 1; `best_of`: float64[m, 20, 50], mean of
    max(r, r') where r is in a bin and r' is drawn for a quality; `below`, `above`: float64[m, 50,
    21], chance of the first so many bins, and what the others add to the mean.
    """

    bins: Floats
    chance: Floats
    best_of: Floats
    below: Floats
    above: Floats

    @property
    def telling(self) -> npt.NDArray[np.bool_]:
        """bool[m]: whether reading moves belief so far that it is worth planning for."""
        middle = self.chance[:, QUALITIES // 2]
        mean = middle @ self.bins
        return np.asarray(middle @ self.bins**2 - mean**2 > TELLING_SD**2)

    def chances(self, quality: Floats, legibility: Ints) -> Floats:
        """Distribution over the bins: float64[...], int64[...] -> float64[..., 20]."""
        return np.asarray(self.chance[legibility, _place(quality)])

    def row(self, quality: Floats, legibility: Sequence[int]) -> Floats:
        """Distribution over the bins for each quality: float64[n], n numbers -> float64[n, 20]."""
        return np.asarray(self.chance[legibility, _place(quality)])

    def best(self, confidence: float, quality: float, legibility: int) -> float:
        """Mean of the better of a judged answer and one to come."""
        place = min(max(int(quality * QUALITIES), 0), QUALITIES - 1)
        at = min(max(int(confidence * BINS + 0.5), 0), BINS)  # centres of so many bins are below
        below = float(self.below[legibility, place, at])
        return max(confidence * below + float(self.above[legibility, place, at]), quality)

    def best_by_bin(self, quality: Floats, legibility: Sequence[int]) -> Floats:
        """The same for every bin of the judged answer: float64[n, n, 20].

        `quality`: of the second answer, by first candidate, second candidate and bin of the first;
        `legibility`: of the n second answers.
        """
        table = np.array(legibility)[:, None] * (BINS * QUALITIES) + _EACH_BIN
        gridded = self.best_of.ravel().take(_place(quality) + table)
        return np.asarray(np.maximum(np.maximum(gridded, self.bins), quality))


def make_spread(*ks: float) -> Spread:
    """Tabulate Beta(q k, (1 - q) k) for each `k` > 0, a smaller one for judges that tell more.

    >>> spread = make_spread(2.0, 50.0)
    >>> bool(np.allclose(spread.chance.sum(axis=2), 1.0))
    True
    """
    bins = (np.arange(BINS) + 0.5) / BINS
    qualities = (np.arange(QUALITIES) + 0.5) / QUALITIES
    chance = np.array([[_beta(bins, q * k, (1.0 - q) * k) for q in qualities] for k in ks])
    better = np.maximum(bins[:, None], bins[None, :])
    best_of = np.ascontiguousarray((chance @ better).transpose(0, 2, 1))
    edge = np.zeros((*chance.shape[:2], 1))
    below = np.concatenate((edge, chance.cumsum(axis=2)), axis=2)
    upto = np.concatenate((edge, (chance * bins).cumsum(axis=2)), axis=2)
    return Spread(
        bins=bins, chance=chance, best_of=best_of, below=below, above=upto[:, :, -1:] - upto
    )


def _place(quality: Floats) -> Ints:
    """Place on the grid of each quality in 0..1."""
    return np.minimum((quality * QUALITIES).astype(np.int64), QUALITIES - 1)


def _beta(x: Floats, a: float, b: float) -> Floats:
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    log = constant + (a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x)
    density = np.exp(log - log.max())
    return _with_mean(x, density / density.sum(), a / (a + b))


def _with_mean(x: Floats, chance: Floats, mean: float) -> Floats:
    """Move some mass to an end bin, so that the coarse grid keeps the mean exactly."""
    end = 0 if (chance * x).sum() > mean else -1
    gap, reach = (chance * x).sum() - mean, (chance * x).sum() - x[end]
    share = np.clip(gap / reach, 0.0, 1.0) if reach else 0.0
    moved = (1.0 - share) * chance
    moved[end] += share
    return np.asarray(moved)
