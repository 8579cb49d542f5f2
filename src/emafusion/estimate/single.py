"""One query at a time, as a gateway is asked: the same numbers with a tenth of numpy's calls.

All that depends on the query's words and labels alone is linear in the heads, so one product gives
the class scores, what the learned view says of each candidate, and its habits of length. What then
remains is a handful of numbers for each of a few candidates, where plain floats are quicker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, isnan, log, sqrt

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Estimates, Features, Floats
from emafusion.estimate.cost import FIRST_TOKEN_S, LINEAR_UP_TO, LONGEST_TOKENS, TOKENS_PER_S
from emafusion.estimate.hybrid import AXES, CLASSES, EDGE, LEARNED, Blend
from emafusion.estimate.linear import DIFFICULTY, FIRST_DIRECTION, LENGTH, Heads, meant
from emafusion.estimate.roster import Roster, within_reach
from emafusion.estimate.route import SMALLEST
from emafusion.estimate.state import RouterState

MOST_CANDIDATES = 12
"""In larger pools arrays are quicker."""

Pair = tuple[float, float]
Basis = Callable[[Roster, str, int], tuple[str, ...]]
_LONGEST = log(LONGEST_TOKENS)
_ONE = np.ones(1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class One:
    """A candidate as plain numbers; see `Roster`."""

    ability: float
    ability_sd: float
    line: tuple[float, float]
    cpu: tuple[float, float, float]
    rates: tuple[float, float, float, float]
    latency_s: float

    def cost_usd(self, prompt: float, completion: float, cpu_s: float) -> float:
        """Expected cost; NaN where unknown."""
        call, per_prompt, per_completion, per_cpu_s = self.rates
        return call + prompt * per_prompt + completion * per_completion + cpu_s * per_cpu_s

    def seconds(self, completion: float, cpu_s: float) -> float:
        """Expected latency."""
        if cpu_s > 0:
            return cpu_s
        stated = self.latency_s
        return FIRST_TOKEN_S + completion / TOKENS_PER_S if isnan(stated) else stated


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Single:
    """A pool of n candidates as one query needs it, K learned classes.

    `from_heads`: float64[h, K + 2 + 2n], heads to class scores, levels, learned view, habits;
    `from_shares`: float64[K, 2n + 1], unscaled shares of classes to the view by classes, factors of
    length, and their sum; `reach`: float64[16, n], None where everybody does everything. `curve`:
    of familiarity; weights and sd: on familiar and on novel queries.
    """

    state: RouterState
    roster: Roster
    ones: tuple[One, ...]
    from_heads: Floats
    from_shares: Floats
    reach: Floats | None
    curve: Pair | None
    classes_weight: Pair
    learned_weight: Pair
    views_sd: Pair

    def estimate(self, features: Features, basis: Basis, *, by_class: bool) -> Estimates:
        """Predict quality, cost and latency of each candidate."""
        state, n = self.state, len(self.ones)
        k = len(state.classes.names)
        told = _heads(state.heads, features) @ self.from_heads
        scores = told[:k]
        familiarity = self._familiarity(float(scores.dot(scores)))
        scores += state.classes.centre
        scores *= state.classes.temperature
        raised = np.exp(scores - np.maximum.reduce(scores))
        *of_classes, total = (raised @ self.from_shares).tolist()
        of_heads: list[float] = told[k:].tolist()
        levels = (of_heads[DIFFICULTY], of_heads[LENGTH])
        said = _Said(
            features=features,
            familiarity=familiarity,
            levels=levels,
            learned=of_heads[FIRST_DIRECTION : FIRST_DIRECTION + n],
            habits=of_heads[FIRST_DIRECTION + n :],
            classes=[value / total for value in of_classes[:n]],
            factors=[value / total for value in of_classes[n:]],
        )
        likeliest = int((raised if by_class else features.labels.task).argmax())
        return self._estimates(said, lambda route: basis(self.roster, route, likeliest))

    def _familiarity(self, squared: float) -> float:
        """As `familiarity.familiarity_of`, of the squared strength."""
        if self.curve is None:
            return 0.0
        return _sigmoid(self.curve[0] + self.curve[1] * sqrt(squared))

    def _estimates(self, said: _Said, basis: Callable[[str], tuple[str, ...]]) -> Estimates:
        blend, seen = self.state.blend, said.familiarity
        by_class = _between(seen, *self.classes_weight)
        by_heads = _between(seen, *self.learned_weight)
        told = [by_class * value for value in said.classes], [by_heads * v for v in said.learned]
        quality = self._quality(blend, said, told)
        route = _route(*told)
        costs, seconds = self._money_and_time(said)
        return Estimates(
            candidates=self.roster.names,
            quality=np.array(quality),
            quality_sd=np.array(self._spread(blend.slope, quality, seen)),
            cost_usd=np.array(costs),
            latency_s=np.array(seconds),
            familiarity=seen,
            route=route,
            basis=basis(route),
        )

    def _quality(
        self, blend: Blend, said: _Said, told: tuple[list[float], list[float]]
    ) -> list[float]:
        difficulty = blend.centre + said.familiarity * (said.levels[DIFFICULTY] - blend.centre)
        quality = [
            _inside(_sigmoid(blend.slope * (one.ability - difficulty) + blend.shift) + a + b)
            for one, a, b in zip(self.ones, *told, strict=True)
        ]
        if self.reach is None:
            return quality
        reach: list[float] = within_reach(said.features.labels.task @ self.reach).tolist()
        return [q * share for q, share in zip(quality, reach, strict=True)]

    def _spread(self, slope: float, quality: list[float], familiarity: float) -> list[float]:
        of_views = _between(familiarity, *self.views_sd) ** 2
        return [
            sqrt((slope * q * (1 - q) * one.ability_sd) ** 2 + of_views)
            for one, q in zip(self.ones, quality, strict=True)
        ]

    def _money_and_time(self, said: _Said) -> tuple[list[float], list[float]]:
        costs, seconds = list[float](), list[float]()
        prompt, head = float(said.features.prompt_tokens), said.levels[LENGTH]
        for one, habit, factor in zip(self.ones, said.habits, said.factors, strict=True):
            start, slope = one.line
            completion = factor * exp(min(max(start + slope * head + habit, 0.0), _LONGEST))
            call, per_prompt, per_completion = one.cpu
            cpu_s = call + prompt * per_prompt + completion * per_completion
            costs.append(one.cost_usd(prompt, completion, cpu_s))
            seconds.append(one.seconds(completion, cpu_s))
        return costs, seconds


class _Said(Struct, frozen=True, kw_only=True, eq=False):
    """What one query is; lists over candidates."""

    features: Features
    familiarity: float
    levels: tuple[float, float]
    learned: list[float]
    habits: list[float]
    classes: list[float]
    factors: list[float]


def make_single(state: RouterState, roster: Roster) -> Single | None:
    """Prepare a pool; None where arrays are needed or quicker."""
    blend, curve = state.blend, state.familiarity.curve
    if (
        any(_pair(blend.familiar, blend.novel, AXES))
        or not state.classes.names
        or state.heads.logit
        or state.trees.count
        or not 0 < len(roster.names) <= MOST_CANDIDATES
    ):
        return None
    return Single(
        state=state,
        roster=roster,
        ones=tuple(map(_one, range(len(roster.names)), [roster] * len(roster.names))),
        from_heads=_from_heads(state, roster),
        from_shares=np.hstack(
            (roster.by_class.T, roster.class_lengths.T, np.ones((len(state.classes.names), 1)))
        ),
        reach=None if (roster.reach == 1.0).all() else np.ascontiguousarray(roster.reach.T),
        curve=None if len(curve) == 0 else (float(curve[0]), float(curve[1])),
        classes_weight=_pair(blend.familiar, blend.novel, CLASSES),
        learned_weight=_pair(blend.familiar, blend.novel, LEARNED),
        views_sd=(float(blend.spread[0]), float(blend.spread[1])),
    )


def fits(features: Features) -> bool:
    """Whether a query is one of the usual kind: no class given, no tiers of price."""
    return features.dataset is None and features.prompt_tokens <= LINEAR_UP_TO


def _one(i: int, roster: Roster) -> One:
    start, slope, sd = roster.lines[i].tolist()
    call, per_prompt, per_completion = roster.cpu[i].tolist()
    fee, prompt, completion, cpu_s = roster.rates[:, i].tolist()
    return One(
        ability=float(roster.ability[i]),
        ability_sd=float(roster.ability_sd[i]),
        line=(start + sd**2 / 2, slope),
        cpu=(call, per_prompt, per_completion),
        rates=(fee, prompt, completion, cpu_s),
        latency_s=float(roster.latency_s[i]),
    )


def _from_heads(state: RouterState, roster: Roster) -> Floats:
    """Columns: class scores, difficulty and length, learned view, habits."""
    heads, k, n = state.heads, len(state.classes.names), len(roster.names)
    width = heads.small.shape[1]
    own = width - state.classes.columns
    made = np.zeros((width, k + FIRST_DIRECTION + 2 * n))
    made[own:, :k] = state.classes.basis
    made[DIFFICULTY, k + DIFFICULTY] = made[LENGTH, k + LENGTH] = 1.0
    at = k + FIRST_DIRECTION
    made[FIRST_DIRECTION : heads.first_length, at : at + n] = roster.loadings.T
    made[heads.first_length : own, at + n :] = roster.habits.T
    return made


def _between(familiarity: float, familiar: float, novel: float) -> float:
    return familiarity * familiar + (1 - familiarity) * novel


def _heads(heads: Heads, features: Features) -> Floats:
    """As `linear.apply_heads`, of one query: float64[h]."""
    labels, words = features.labels, heads.words.take(features.indices, axis=0)
    axes = (labels.task, labels.depth, labels.domain, labels.format)
    values: Floats = np.concatenate((*axes, features.counts, _ONE)) @ heads.small
    values += features.weights.astype(np.float32) @ words
    if len(heads.meaning):
        values += meant(heads, features)
    return values


def _pair(familiar: Floats, novel: Floats, place: int) -> Pair:
    return float(familiar[place]), float(novel[place])


def _route(classes: list[float], learned: list[float]) -> str:
    """As `route.routes_of`."""
    table, heads = max(classes) - min(classes), max(learned) - min(learned)
    if max(table, heads) <= SMALLEST:
        return "prior"
    return "taxonomy" if table >= heads else "learned"


def _sigmoid(logit: float) -> float:
    """As `hybrid.sigmoid`."""
    return 1.0 / (1.0 + exp(min(max(-logit, -30.0), 30.0)))


def _inside(quality: float) -> float:
    """As `hybrid.inside`."""
    if quality > 1 - EDGE:
        return 1 - EDGE * exp(max((1 - EDGE - quality) / EDGE, -25.0))
    return EDGE * exp(max((quality - EDGE) / EDGE, -25.0)) if quality < EDGE else quality
