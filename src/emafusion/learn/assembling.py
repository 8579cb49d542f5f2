"""Fitting what serves on all rows, and putting it together."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from emafusion.domain.features import Features, Floats
from emafusion.estimate.classes import Classes
from emafusion.estimate.cost import Lengths, expected_tokens
from emafusion.estimate.familiarity import Familiarity
from emafusion.estimate.hybrid import Blend, Views, blend_quality, sigmoid
from emafusion.estimate.linear import DIFFICULTY, Heads
from emafusion.estimate.prior import PriorState
from emafusion.estimate.state import RouterState
from emafusion.estimate.table import fit_table
from emafusion.estimate.trees import Trees
from emafusion.learn.ability import Scale
from emafusion.learn.blending import Choices, Worth, fit_weights
from emafusion.learn.boosting import fit_trees
from emafusion.learn.choosing import Chosen, choose
from emafusion.learn.classing import answers_in, fit_lengths, fit_values, one_hot
from emafusion.learn.clusters import fit_curve
from emafusion.learn.costs import fit_costs, tokens_or_costs
from emafusion.learn.holding import Fold, Learned, filled, inputs_known
from emafusion.learn.lengths import fit_cpu, fit_lines
from emafusion.learn.outcomes import OutcomeTable
from emafusion.learn.plan import Plan
from emafusion.learn.priors import fit_prior, prices_of
from emafusion.learn.views import Fit, Predicted, fit_heads
from emafusion.learn.ways import way_named

FEWEST_FOR_PRIOR = 8
FEWEST_FOR_HEADS = 300
"""Queries from which on the learned view may have a weight: under it, the shrunk table alone."""

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
NOVEL_STEPS = (0.0, 0.25, 0.5)
OFF = (0.0,)


class Assembled(NamedTuple):
    """A router, what its learned view is, and the utility of each row's choice, float64[n]."""

    state: RouterState
    chosen: Chosen
    utility: Floats


def assemble(
    table: OutcomeTable, features: tuple[Features, ...], learned: Learned, *, plan: Plan
) -> Assembled:
    """Fit what serves on all rows, and put it together."""
    targets, known, final = learned.targets, learned.known, learned.final
    blend, chosen, utility = _blend(table, learned, plan)
    way = way_named(chosen.name)
    fit = fit_heads(learned.prepared, targets, class_rank=plan.class_rank, way=way)
    lengths, classes = _lengths(table, learned, fit)
    tokens = _tokens(lengths, known.predicted) * (known.shares @ classes.lengths.T)
    prompt = np.array([each.prompt_tokens for each in features], np.float64)
    state = RouterState(
        models=table.models,
        ability=final.ability,
        ability_sd=final.sd,
        outcomes=(~np.isnan(table.score)).sum(axis=0).astype(np.float64),
        costs=fit_costs(table.cost_usd, prompt, tokens),
        table=fit_table(learned.prepared.cells, targets.residual),
        classes=classes,
        heads=_stretched(fit.heads, filled(known.predicted.difficulty), final.difficulty),
        familiarity=Familiarity(
            curve=fit_curve(known.predicted.strength, learned.novel.predicted.strength)
        ),
        trees=_trees(learned, fit.heads) if chosen.name == "boosted" else Trees.none(),
        blend=blend,
        lengths=lengths,
        prior=_prior(table, final),
    )
    return Assembled(state, chosen, utility)


def _trees(learned: Learned, heads: Heads) -> Trees:
    """Trees on all rows, by what was said of them while they were held out."""
    trees = fit_trees(inputs_known(learned), learned.targets.residual)
    return replace(trees, turn=heads.loadings.T @ learned.turn)


def held_out_quality(state: RouterState, learned: Learned, *, way: str) -> Floats:
    """Quality by the final blend of held-out predictions, all rows as familiar."""
    predicted, final = learned.known.predicted, learned.final
    views = Views(
        final.ability,
        np.nan_to_num(predicted.axes),
        learned.known.classes,
        learned.known.learned[way],
    )
    weights = np.broadcast_to(state.blend.familiar, (len(final.difficulty), 3))
    return blend_quality(state.blend, views, difficulty=final.difficulty, weights=weights)


def _lengths(table: OutcomeTable, learned: Learned, fit: Fit) -> tuple[Lengths, Classes]:
    """Lines of the models on the length head, and the classes with their length factors."""
    known, member = learned.known, learned.targets.classed.member
    tokens = tokens_or_costs(table.completion_tokens, table.cost_usd)
    head = filled(known.predicted.length)
    lines, shared = fit_lines(tokens, head)
    cpu = fit_cpu(table.cpu_s, table.prompt_tokens, table.completion_tokens)
    lengths = Lengths(lines=lines, cpu=cpu, shared=shared, habits=fit.habits)
    ratio = tokens / _tokens(lengths, known.predicted)
    classes = Classes(
        names=learned.targets.classed.names,
        basis=fit.basis,
        centre=np.bincount(member) / len(member),
        temperature=learned.temperature,
        values=fit_values(known.shares, learned.targets.residual).T,
        lengths=fit_lengths(known.shares, ratio).T,
        outcomes=answers_in(one_hot(learned.targets.classed), table.score),
    )
    return lengths, classes


def _tokens(lengths: Lengths, predicted: Predicted) -> Floats:
    """Expected tokens of held-out rows before classes are looked at: float64[n, m]."""
    lines = np.where(np.isnan(lengths.lines), lengths.shared, lengths.lines)
    habits = np.nan_to_num(predicted.habits) @ lengths.habits @ lengths.habits.T
    return expected_tokens(lines, filled(predicted.length), habits)


def _blend(table: OutcomeTable, learned: Learned, plan: Plan) -> tuple[Blend, Chosen, Floats]:
    """Weights of the views on known and on novel families, which learned view, and its utility."""
    final = learned.final
    choices = Choices(
        table.score, sigmoid(final.ability - final.difficulty[:, None]), table.cost_usd
    )
    heads = STEPS if len(table.prompts) >= FEWEST_FOR_HEADS else OFF

    def worth(fold: Fold, name: str, steps: tuple[float, ...]) -> Worth:
        table_steps = (STEPS, OFF) if plan.classes == "axes" else (OFF, STEPS)
        return fit_weights(choices, _views(fold, name), (*table_steps, steps))

    known = {name: worth(learned.known, name, heads) for name in plan.rivals}
    alone = worth(learned.known, plan.rivals[0], OFF)
    chosen = choose({name: each.utility for name, each in known.items()}, alone.utility)
    seen = known[chosen.name]
    views = _views(learned.novel, chosen.name)
    novel = fit_weights(choices, views, (NOVEL_STEPS, OFF, NOVEL_STEPS))
    by_told = _views(learned.known._replace(classes=learned.known.told), chosen.name)
    told = fit_weights(choices, by_told, (OFF, STEPS, heads))
    blend = Blend(
        familiar=seen.weights,
        novel=novel.weights,
        told=told.weights,
        slope=1.0,
        shift=0.0,
        spread=np.array([seen.spread, novel.spread]),
        centre=float(final.difficulty.mean()),
    )
    return blend, chosen, seen.utility


def _views(fold: Fold, name: str) -> tuple[Floats, Floats, Floats]:
    """The three views of held-out rows, 0 where a row was not predicted."""
    return np.nan_to_num(fold.predicted.axes), fold.classes, fold.learned[name]


def _stretched(heads: Heads, predicted: Floats, stretched: Floats) -> Heads:
    """Let the difficulty head say what held-out predictions turned out to be worth."""
    if predicted.std() < 1e-9:
        return heads
    factor = float(np.cov(predicted, stretched)[0, 1] / predicted.var(ddof=1))
    words, small, meaning = heads.words.copy(), heads.small.copy(), heads.meaning.copy()
    for weights in (words, small, meaning):
        weights[:, DIFFICULTY] *= factor
    small[-1, DIFFICULTY] += float(stretched.mean() - factor * predicted.mean())
    return replace(heads, words=words, small=small, meaning=meaning)


def _prior(table: OutcomeTable, final: Scale) -> PriorState:
    """Prior of unseen models, where enough were recorded to fit one."""
    if len(table.models) < FEWEST_FOR_PRIOR:
        return PriorState.stated()
    prices = prices_of(table.cost_usd, table.prompt_tokens, table.completion_tokens)
    return fit_prior(table.models, final.ability, prices)
