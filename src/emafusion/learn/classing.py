"""Classes of an outcome table: its data sets or clusters, and what each model did in them.

A query's class is predicted from its words even where the table names it, since it will have to be
predicted of queries to come: tables are fitted on probabilities p(c|x) of rows that were held out.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.estimate.classes import softened
from emafusion.learn.clusters import cluster
from emafusion.learn.gram import Float32s

Kinds = Literal["dataset", "clusters", "axes"]
MOST_DATASETS = 300
CLUSTERS, FEWEST_IN_CLUSTER = 60, 30

KAPPA = 30.0
"""Outcomes that the model's mean is worth in a class."""

LENGTH_KAPPA = 10.0
TEMPERATURES = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0, 24.0)


class Classed(NamedTuple):
    """Names of K classes (empty text for a cluster) and the class of each row, int64[n]."""

    names: tuple[str, ...]
    member: Ints


def classes_of(datasets: tuple[str, ...], sketches: Floats, kinds: Kinds) -> Classed:
    """Data sets where there are 2 to 300 of them, else or where they are asked for, clusters."""
    named = tuple(sorted(set(datasets)))
    if kinds != "clusters" and 2 <= len(named) <= MOST_DATASETS:
        place = {name: i for i, name in enumerate(named)}
        return Classed(named, np.array([place[name] for name in datasets], np.int64))
    k = max(1, min(CLUSTERS, len(sketches) // FEWEST_IN_CLUSTER))
    found, member = np.unique(cluster(sketches, k), return_inverse=True)
    return Classed(("",) * len(found), member.astype(np.int64))


def one_hot(classed: Classed) -> Floats:
    """float64[n, K]."""
    hot: Floats = np.eye(len(classed.names))[classed.member]
    return hot


def temperature_of(scores: Floats, member: Ints) -> float:
    """What held-out scores float64[n, K] must be multiplied with: by log loss, from a short list.

    >>> temperature_of(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    24.0
    """
    rows = np.arange(len(member))
    losses = [-np.log(softened(scores, t)[rows, member] + 1e-9).mean() for t in TEMPERATURES]
    return TEMPERATURES[int(np.argmin(losses))]


def fit_values(shares: Floats, residual: Floats) -> Floats:
    """Residual quality by class: float64[K, m], least squares on p(c|x), shrunk toward 0.

    `shares`: float64[n, K]; `residual`: float64[n, m], NaN where the model did not answer. With
    certain classes it is `sum / (count + KAPPA)`; with uncertain ones it does not blur.
    """
    known = ~np.isnan(residual)
    values = np.zeros((shares.shape[1], residual.shape[1]))
    penalty = KAPPA * np.eye(shares.shape[1])
    for column in range(residual.shape[1]):
        own = shares[known[:, column]]
        moment = own.T @ residual[known[:, column], column]
        values[:, column] = np.linalg.solve(own.T @ own + penalty, moment)
    return values


def fit_lengths(shares: Floats, ratio: Floats) -> Floats:
    """By what factor answers are longer in each class: float64[K, m], shrunk toward all models'.

    `ratio`: float64[n, m], tokens over what the length head says, NaN unknown.
    """
    known = ~np.isnan(ratio)
    weight = shares.T @ known
    total = shares.T @ np.where(known, ratio, 0.0)
    of_all = (total.sum(axis=1) + LENGTH_KAPPA) / (weight.sum(axis=1) + LENGTH_KAPPA)
    factors: Floats = (total + LENGTH_KAPPA * of_all[:, None]) / (weight + LENGTH_KAPPA)
    return factors


def answers_in(member: Floats, score: Floats) -> Floats:
    """Recorded answers of each model in each class: float64[m, K]. `member`: float64[n, K]."""
    counted: Floats = (~np.isnan(score)).astype(np.float64).T @ member
    return counted


def main_directions(fitted: Float32s, rank: int) -> Float32s:
    """Main directions of fitted columns float32[n, k]: orthonormal float32[k, r], r <= rank."""
    spread = (fitted.T @ fitted).astype(np.float64)
    _, vectors = np.linalg.eigh(spread)
    return vectors[:, ::-1][:, :rank].astype(np.float32)
