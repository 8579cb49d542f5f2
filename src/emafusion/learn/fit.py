"""From an outcome table to a router: abilities, both views, their weights, lengths and priors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features, Floats, Ints
from emafusion.domain.ports import Encoder
from emafusion.domain.query import ask
from emafusion.estimate.cost import Lengths
from emafusion.estimate.familiarity import Familiarity, support_of
from emafusion.estimate.hybrid import Blend, Views, blend_quality, sigmoid
from emafusion.estimate.linear import DIFFICULTY, Heads
from emafusion.estimate.prior import PriorState
from emafusion.estimate.state import RouterState
from emafusion.learn.ability import Scale, fit_scale, refit, residuals
from emafusion.learn.anchors import cluster, fit_anchors, fit_curve
from emafusion.learn.blending import Choices, fit_weights
from emafusion.learn.groups import family_groups, folds_of, prompt_groups
from emafusion.learn.lengths import fit_cpu, fit_lines, query_lengths
from emafusion.learn.linking import link
from emafusion.learn.outcomes import OutcomeTable
from emafusion.learn.priors import fit_prior, prices_of
from emafusion.learn.views import (
    Mask,
    Predicted,
    Prepared,
    Targets,
    fit_heads,
    fit_taxonomy,
    predict_held_out,
    prepare,
)  # fmt: skip

Number = TypeVar("Number", np.float64, np.int64)
FEWEST_FOR_PRIOR = 8
PSEUDO_FAMILIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to fit. `folds`, `family_folds`: parts that rows and families are held out in."""

    folds: int = 4
    family_folds: int = 4
    seed: int = 0


DEFAULT = Plan()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A router and what it said of its own table while rows were held out.

    `quality`: float64[n, m], predicted while the row's prompt was held out, NaN for rows without
    a score; `folds`: int64[n], the part each row was held out with, -1 for rows without a score.
    """

    state: RouterState
    quality: Floats
    folds: Ints


def fit_router(table: OutcomeTable, features: tuple[Features, ...], plan: Plan = DEFAULT) -> Fitted:
    """Fit the router on an outcome table.

    `features`: of each query, in the table's order, as `encode_prompts` makes them.

    Raises:
        BadInput: no scored answer, or fewer than two queries.
    """
    scored: Mask = np.asarray(np.isfinite(table.score).any(axis=1))
    if scored.sum() < 2:
        what = f"needs at least 2 queries with a score, has {int(scored.sum())}"
        raise BadInput(what, where="outcome table")
    table = table.take(scored)
    prepared = prepare(tuple(f for f, keep in zip(features, scored, strict=True) if keep))
    families = _families(table, prepared)
    loose = fit_scale(table.score, families)
    scale = link(loose, np.isfinite(table.score), table.models)
    targets = Targets(
        residuals(table.score, scale), scale.difficulty, query_lengths(table.completion_tokens)
    )
    folds = folds_of(prompt_groups(table.prompts), plan.folds, seed=plan.seed)
    held_out = predict_held_out(prepared, targets, folds)
    novel = predict_held_out(
        prepared, targets, folds_of(families, min(plan.family_folds, families.max() + 1))
    )
    final = refit(table.score, held_out.difficulty, scale.ability)
    state = _state(table, (prepared, targets), predicted=(held_out, novel), final=final)
    return Fitted(
        state=state,
        quality=_spread(_held_out_quality(state, held_out, final), scored, np.nan),
        folds=_spread(folds, scored, -1),
    )


def encode_prompts(encoder: Encoder, prompts: tuple[str, ...]) -> tuple[Features, ...]:
    """Features of prompts, each a query of one user message."""
    return tuple(encoder.encode(ask(prompt)) for prompt in prompts)


def _held_out_quality(state: RouterState, held_out: Predicted, final: Scale) -> Floats:
    """Quality by the final blend of held-out predictions, all rows as familiar."""
    views = Views(final.ability, held_out.views.taxonomy, held_out.views.learned)
    weights = np.broadcast_to(state.blend.familiar, (len(final.difficulty), 2))
    return blend_quality(state.blend, views, difficulty=final.difficulty, weights=weights)


def _spread(values: npt.NDArray[Number], kept: Mask, empty: float) -> npt.NDArray[Number]:
    """Put the values of kept rows back to their places among all rows."""
    whole = np.full((len(kept), *values.shape[1:]), empty, values.dtype)
    whole[kept] = values
    return whole


def _state(
    table: OutcomeTable,
    fitted_on: tuple[Prepared, Targets],
    *,
    predicted: tuple[Predicted, Predicted],
    final: Scale,
) -> RouterState:
    """Fit what serves on all rows, and put it together."""
    prepared, targets = fitted_on
    held_out, novel = predicted
    lines, shared = fit_lines(table.completion_tokens, held_out.length)
    cpu = fit_cpu(table.cpu_s, table.prompt_tokens, table.completion_tokens)
    return RouterState(
        models=table.models,
        ability=final.ability,
        ability_sd=final.sd,
        outcomes=(~np.isnan(table.score)).sum(axis=0).astype(np.float64),
        table=fit_taxonomy(prepared, targets),
        heads=_stretched(fit_heads(prepared, targets), held_out.difficulty, final.difficulty),
        familiarity=_familiarity(prepared, held_out, novel),
        blend=_blend(table, final, predicted),
        lengths=Lengths(lines=lines, cpu=cpu, shared=shared),
        prior=_prior(table, final),
    )


def _families(table: OutcomeTable, prepared: Prepared) -> Ints:
    """Families to hold out whole: data sets, or clusters where the table names fewer than two."""
    families = family_groups(table.datasets)
    if families.max() > 0:
        return families
    return cluster(prepared.sketches, PSEUDO_FAMILIES)[1]


def _familiarity(prepared: Prepared, held_out: Predicted, novel: Predicted) -> Familiarity:
    """Anchors of all rows, and the curve that tells known from novel families."""
    return Familiarity(
        scale=prepared.rows.scale,
        anchors=fit_anchors(prepared.sketches),
        support=support_of(prepared.cells),
        curve=fit_curve(held_out.closeness, novel.closeness),
    )


def _blend(table: OutcomeTable, final: Scale, predicted: tuple[Predicted, Predicted]) -> Blend:
    """Weights of the views on known and on novel families."""
    base = sigmoid(final.ability - final.difficulty[:, None])
    choices = Choices(table.score, base, table.cost_usd)
    known, unknown = (fit_weights(choices, part.views) for part in predicted)
    return Blend(
        familiar=known.weights,
        novel=unknown.weights,
        slope=1.0,
        shift=0.0,
        spread=np.array([known.spread, unknown.spread]),
        centre=float(final.difficulty.mean()),
    )


def _stretched(heads: Heads, predicted: Floats, stretched: Floats) -> Heads:
    """Let the difficulty head say what held-out predictions turned out to be worth."""
    if predicted.std() < 1e-9:
        return heads
    factor = float(np.cov(predicted, stretched)[0, 1] / predicted.var(ddof=1))
    words, small = heads.words.copy(), heads.small.copy()
    words[:, DIFFICULTY] *= factor
    small[:, DIFFICULTY] *= factor
    small[-1, DIFFICULTY] += float(stretched.mean() - factor * predicted.mean())
    return Heads(words=words, small=small, loadings=heads.loadings)


def _prior(table: OutcomeTable, final: Scale) -> PriorState:
    """Prior of unseen models, where enough were recorded to fit one."""
    if len(table.models) < FEWEST_FOR_PRIOR:
        return PriorState.stated()
    prices = prices_of(table.cost_usd, table.prompt_tokens, table.completion_tokens)
    return fit_prior(table.models, final.ability, prices)
