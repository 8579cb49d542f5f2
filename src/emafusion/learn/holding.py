"""Holding out rows and whole families, and what was predicted of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Features, Floats, Ints
from emafusion.estimate.classes import softened
from emafusion.estimate.trees import inputs_of
from emafusion.learn.ability import Scale, fit_scale, refit, residuals
from emafusion.learn.boosting import boosted_held_out, turn_of
from emafusion.learn.classing import Classed, classes_of, fit_values, one_hot, temperature_of
from emafusion.learn.clusters import cluster, sketches_of
from emafusion.learn.costs import tokens_or_costs
from emafusion.learn.groups import family_groups, folds_of
from emafusion.learn.lengths import length_habits, query_lengths
from emafusion.learn.linking import link
from emafusion.learn.newcomers import season
from emafusion.learn.outcomes import OutcomeTable
from emafusion.learn.plan import Plan
from emafusion.learn.views import (
    Predicted,
    Prepared,
    Targets,
    make_rows_of,
    predict_held_out,
    prepare,
)  # fmt: skip

PSEUDO_FAMILIES = 10


class Fold(NamedTuple):
    """Predictions of held-out rows: with the table by classes (float64[n, m]), and shares p(c|x).

    `told`: by the table where the class of a row is given, float64[n, m]; `shares`: float64[n, K];
    `learned`: advantages float64[n, m] by the name of what learned them.
    """

    predicted: Predicted
    shares: Floats
    classes: Floats
    told: Floats
    learned: Mapping[str, Floats]


class Learned(NamedTuple):
    """What the state is put together from. `turn`: as `boosting.turn_of` gives."""

    prepared: Prepared
    targets: Targets
    known: Fold
    novel: Fold
    temperature: float
    final: Scale
    turn: Floats


def hold_out(
    table: OutcomeTable, features: tuple[Features, ...], plan: Plan, *, folds: Ints
) -> Learned:
    """Hold out rows and families, and predict them."""
    rows, scale = make_rows_of(features, plan.vectors, labels=plan.classes == "axes")
    sketches = sketches_of(rows)
    prepared, families = prepare(features, rows, scale), _families(table, sketches)
    loose = fit_scale(table.score, families)
    linked = link(loose, np.isfinite(table.score), table.models)
    targets = _targets(table, linked, classes_of(table.datasets, sketches, plan.classes))
    parts = folds_of(families, min(plan.family_folds, int(families.max()) + 1), seed=plan.seed)
    known, novel = (
        predict_held_out(prepared, targets, each, ways=plan.ways) for each in (folds, parts)
    )
    shares, asked, temperature = _shares(known, novel, targets.classed)
    turn = turn_of(_filled(known.learned[0]))
    as_known, as_novel = (
        _inputs(prepared, each, turn=turn, shares=own)
        for each, own in ((known, shares), (novel, asked))
    )
    residual, given = targets.residual, one_hot(targets.classed)

    def fold(predicted: Predicted, own: Floats, inputs: Floats, *, held: Ints) -> Fold:
        learned: dict[str, Floats] = dict(
            zip(plan.ways, map(_filled, predicted.learned), strict=True)
        )
        if "boosted" in plan.rivals:
            trees = boosted_held_out(as_known, inputs, residual=residual, folds=held)
            learned["boosted"] = trees
        by_class, told = (
            _by_class(each, shares, residual=residual, folds=held) for each in (own, given)
        )
        return Fold(predicted, own, by_class, told, learned)

    return Learned(
        prepared=prepared,
        targets=targets,
        known=fold(known, shares, as_known, held=folds),
        novel=fold(novel, asked, as_novel, held=parts),
        temperature=temperature,
        final=_final(table, refit(table.score, filled(known.difficulty), linked.ability)),
        turn=turn,
    )


def inputs_known(learned: Learned) -> Floats:
    """What trees are asked of held-out rows: float64[n, d]."""
    known = learned.known
    return _inputs(learned.prepared, known.predicted, turn=learned.turn, shares=known.shares)


def _inputs(prepared: Prepared, predicted: Predicted, *, turn: Floats, shares: Floats) -> Floats:
    levels = np.stack((filled(predicted.difficulty), filled(predicted.length)), axis=1)
    return inputs_of(prepared.small, levels, _filled(predicted.learned[0]) @ turn, shares=shares)


def _filled(advantages: Floats) -> Floats:
    return np.nan_to_num(advantages)


def _shares(known: Predicted, novel: Predicted, classed: Classed) -> tuple[Floats, Floats, float]:
    """Shares of classes of rows as known and as novel ones, and the temperature behind them."""
    centre = np.bincount(classed.member) / len(classed.member)
    temperature = temperature_of(known.scores + centre, classed.member)
    shares = softened(known.scores + centre, temperature)
    return shares, softened(np.nan_to_num(novel.scores) + centre, temperature), temperature


def _final(table: OutcomeTable, scale: Scale) -> Scale:
    """The scale with newcomers drawn to what is expected of them."""
    answers = np.isfinite(table.score).sum(axis=0).astype(np.float64)
    priced = np.isfinite(table.cost_usd)
    total = np.where(priced, table.cost_usd, 0.0).sum(axis=0)
    counts = priced.sum(axis=0)
    cost = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    return season(scale, answers, cost)


def _targets(table: OutcomeTable, scale: Scale, classed: Classed) -> Targets:
    """What is to be learned."""
    tokens = tokens_or_costs(table.completion_tokens, table.cost_usd)
    length = query_lengths(tokens)
    return Targets(
        residual=residuals(table.score, scale),
        ability=scale.ability,
        habits=length_habits(tokens, length),
        difficulty=scale.difficulty,
        length=length,
        classed=classed,
    )


def filled(values: Floats) -> Floats:
    """NaN set to the mean of the others, 0 where there is none."""
    known = values[~np.isnan(values)]
    return np.where(np.isnan(values), known.mean() if len(known) else 0.0, values)


def _by_class(asked: Floats, shares: Floats, *, residual: Floats, folds: Ints) -> Floats:
    """What the table by classes says of rows that it was not fitted on: float64[n, m].

    `asked`: shares of rows as they are asked for; `shares`: as the table is fitted on them.
    """
    said = np.zeros(residual.shape)
    for fold in np.unique(folds):
        here, rest = folds == fold, folds != fold
        if rest.any():
            said[here] = asked[here] @ fit_values(shares[rest], residual[rest])
    return said


def _families(table: OutcomeTable, sketches: Floats) -> Ints:
    """Families to hold out whole: data sets, or clusters where the table names fewer than two."""
    families = family_groups(table.datasets)
    if families.max() > 0:
        return families
    return np.unique(cluster(sketches, PSEUDO_FAMILIES), return_inverse=True)[1].astype(np.int64)
