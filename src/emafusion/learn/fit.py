"""From an outcome table to a router."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features, Floats, Ints
from emafusion.domain.ports import Encoder
from emafusion.domain.query import ask
from emafusion.estimate.state import RouterState
from emafusion.learn.assembling import assemble, held_out_quality
from emafusion.learn.choosing import Chosen
from emafusion.learn.groups import folds_of, prompt_groups
from emafusion.learn.holding import hold_out
from emafusion.learn.outcomes import OutcomeTable
from emafusion.learn.plan import Plan
from emafusion.learn.views import Mask

Number = TypeVar("Number", np.float64, np.int64)
DEFAULT = Plan()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A router and what it said of its own table while rows were held out.

    `quality`: float64[n, m], predicted while the row's prompt was held out, NaN for rows without
    a score; `folds`: int64[n], the part each row was held out with, -1 for rows without a score;
    `chosen`: what the learned view is; `utility`: of the choices on scored rows.
    """

    state: RouterState
    quality: Floats
    folds: Ints
    chosen: Chosen
    utility: Floats


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
    kept = tuple(f for f, keep in zip(features, scored, strict=True) if keep)
    table = table.take(scored)
    folds = folds_of(prompt_groups(table.prompts), plan.folds, seed=plan.seed)
    learned = hold_out(table, kept, plan, folds=folds)
    state, chosen, utility = assemble(table, kept, learned, plan=plan)
    quality = held_out_quality(state, learned, way=chosen.name)
    return Fitted(
        state=state,
        quality=_spread(quality, scored, np.nan),
        folds=_spread(folds, scored, -1),
        chosen=chosen,
        utility=utility,
    )


def encode_prompts(encoder: Encoder, prompts: tuple[str, ...]) -> tuple[Features, ...]:
    """Features of prompts, each a query of one user message."""
    return tuple(encoder.encode(ask(prompt)) for prompt in prompts)


def _spread(values: npt.NDArray[Number], kept: Mask, empty: float) -> npt.NDArray[Number]:
    """Put the values of kept rows back to their places among all rows."""
    whole = np.full((len(kept), *values.shape[1:]), empty, values.dtype)
    whole[kept] = values
    return whole
