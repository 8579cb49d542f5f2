"""The hybrid estimator: features and candidates in, estimates out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from emafusion.domain.attempt import Usage
from emafusion.domain.features import Estimates, Features, Floats
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Pricer
from emafusion.estimate.cost import LINEAR_UP_TO, expected_latency, expected_tokens
from emafusion.estimate.hybrid import (
    AXES,
    CLASSES,
    Mode,
    Views,
    blend_quality,
    quality_sd,
    shrunk,
    sigmoid,
    trusting,
    view_weights,
)  # fmt: skip
from emafusion.estimate.linear import DIFFICULTY, LENGTH
from emafusion.estimate.roster import Roster, make_roster, within_reach
from emafusion.estimate.route import routes_of
from emafusion.estimate.seen import Seen, see
from emafusion.estimate.single import Single, fits, make_single
from emafusion.estimate.state import RouterState
from emafusion.estimate.table import cell_weights

KEPT_ROSTERS = 64
KEPT = 512
"""Estimates that are kept for features that come again: those of an encoder that keeps them."""


class HybridEstimator:
    """Taxonomy, learned heads and priors blended by familiarity; implements `Estimator`.

    `mode`: `blend`; `paper` for a hard switch between the views; `taxonomy` or `learned` for one
    view alone. `recorded_costs`: a candidate without a price costs what its recorded answers did.

    >>> from emafusion.domain.model import Model
    >>> estimator = HybridEstimator(RouterState.stated(), lambda usage, price: None)
    >>> estimator.estimate_many(
    ...     (),
    ...     (
    ...         Candidate(
    ...             name="a", model=Model(name="a", provider="p"), deployment="d", remote_name="a"
    ...         ),
    ...     ),
    ... )
    ()
    """

    def __init__(
        self,
        state: RouterState,
        pricer: Pricer,
        *,
        mode: Mode = "blend",
        recorded_costs: bool = False,
    ) -> None:
        self._state = state
        self._pricer = pricer
        self._mode: Mode = mode
        self._recorded_costs = recorded_costs
        self._by_class = bool(state.classes.names) and state.blend.familiar[CLASSES] > 0
        self._rosters: dict[tuple[int, ...], Roster] = {}
        self._bases: dict[tuple[int, str, int], tuple[str, ...]] = {}
        self._singles: dict[int, Single | None] = {}
        self._kept = lru_cache(KEPT)(self._by_single)

    def estimate(self, features: Features, candidates: tuple[Candidate, ...], /) -> Estimates:
        """Predict quality, cost and latency of each candidate on this query."""
        single = self._single(candidates) if self._mode == "blend" and fits(features) else None
        if single is None:
            return self.estimate_many((features,), candidates)[0]
        return self._kept(single, features)

    def _by_single(self, single: Single, features: Features) -> Estimates:
        return single.estimate(features, self._basis, by_class=self._by_class)

    def estimate_many(
        self, features: Sequence[Features], candidates: tuple[Candidate, ...], /
    ) -> tuple[Estimates, ...]:
        """Predict for many queries at once; the same numbers as one by one."""
        if not features:
            return ()
        roster, state = self._roster(candidates), self._state
        seen = see(state, features)
        labels = seen.shares if self._by_class else seen.tasks
        certain = labels.max(axis=1)
        weights = view_weights(state.blend, seen.familiarity, certain, mode=self._mode)
        if seen.told and self._by_class and self._mode == "blend":
            weights = trusting(state.blend, weights, seen.told)
        views = self._views(features, seen, roster, axes=bool(weights[:, AXES].any()))
        difficulty = shrunk(state.blend, seen.levels[:, DIFFICULTY], seen.familiarity)
        quality = blend_quality(state.blend, views, difficulty=difficulty, weights=weights)
        quality *= within_reach(seen.tasks @ roster.reach.T)
        spread = quality_sd(
            state.blend, quality, ability_sd=roster.ability_sd, familiarity=seen.familiarity
        )
        costs, latencies = self._money_and_time(features, seen, roster)
        routes = routes_of(weights, views)
        places = labels.argmax(axis=1).tolist()
        familiarity: list[float] = seen.familiarity.tolist()
        return tuple(
            Estimates(
                candidates=roster.names,
                quality=quality[i],
                quality_sd=spread[i],
                cost_usd=costs[i],
                latency_s=latencies[i],
                familiarity=familiarity[i],
                route=route,
                basis=self._basis(roster, route, places[i]),
            )
            for i, route in enumerate(routes)
        )

    def _roster(self, candidates: tuple[Candidate, ...]) -> Roster:
        """The pool as arrays; kept by identity, since candidates are never changed."""
        key = tuple(map(id, candidates))
        roster = self._rosters.get(key)
        if roster is None:
            if len(self._rosters) >= KEPT_ROSTERS:
                self._rosters.clear()
                self._bases.clear()
                self._singles.clear()
            roster = make_roster(
                self._state, self._pricer, candidates, recorded_costs=self._recorded_costs
            )
            self._rosters[key] = roster
        return roster

    def _single(self, candidates: tuple[Candidate, ...]) -> Single | None:
        """The pool as one query needs it; None where arrays are needed or quicker."""
        roster = self._roster(candidates)
        key = id(roster)
        if key not in self._singles:
            self._singles[key] = make_single(self._state, roster)
        return self._singles[key]

    def _views(
        self, features: Sequence[Features], seen: Seen, roster: Roster, *, axes: bool
    ) -> Views:
        """What each view says; the table by axes is looked up only where it has a weight."""
        by_axes = np.zeros(1)
        if axes:
            by_axes = (cell_weights(features) @ roster.leaves.T).astype(np.float64)
        return Views(
            ability=roster.ability,
            axes=by_axes,
            classes=seen.shares @ roster.by_class.T,
            learned=self._learned(seen, roster),
        )

    def _learned(self, seen: Seen, roster: Roster) -> Floats:
        """Advantages by the learned view: float64[n_queries, n_candidates]."""
        told = seen.directions @ roster.loadings.T
        if not self._state.heads.logit:
            return told
        level = roster.ability - seen.levels[:, DIFFICULTY, None]
        return sigmoid(level + told) - sigmoid(level)

    def _money_and_time(
        self, features: Sequence[Features], seen: Seen, roster: Roster
    ) -> tuple[Floats, Floats]:
        """Expected cost_usd and latency_s: float64[n_queries, n_candidates] each."""
        prompt = np.array([f.prompt_tokens for f in features], np.float64)[:, None]
        habits = seen.habits @ roster.habits.T
        completion = expected_tokens(roster.lines, seen.levels[:, LENGTH], habits)
        if seen.shares.shape[1]:
            completion *= seen.shares @ roster.class_lengths.T
        cpu_s = roster.cpu[:, 0] + prompt * roster.cpu[:, 1] + completion * roster.cpu[:, 2]
        call, per_prompt, per_completion, per_cpu_s = roster.rates
        cost = call + prompt * per_prompt + completion * per_completion + cpu_s * per_cpu_s
        for i in np.flatnonzero(prompt[:, 0] > LINEAR_UP_TO).tolist():
            usages = _usages(features[i].prompt_tokens, completion[i], cpu_s[i])
            exact = self._priced(usages, roster)
            cost[i] = np.where(np.isnan(exact), cost[i], exact)
        return cost, expected_latency(cpu_s, completion, roster.latency_s)

    def _priced(self, usages: tuple[Usage, ...], roster: Roster) -> Floats:
        """Exact prices of one long query, where tiers may apply: float64[n]."""
        pairs = zip(usages, roster.candidates, strict=True)
        costs = [self._pricer(usage, candidate.model.price) for usage, candidate in pairs]
        return np.array([float("nan") if cost is None else cost for cost in costs])

    def _basis(self, roster: Roster, route: str, place: int) -> tuple[str, ...]:
        """One phrase a candidate on what its quality rests on; kept, since they repeat."""
        key = (id(roster), route, place)
        found = self._bases.get(key)
        if found is None:
            state = self._state
            outcomes = state.classes.outcomes if self._by_class else state.table.outcomes
            found = tuple(
                basis or _phrase(route, float(outcomes[row, place]), float(state.outcomes[row]))
                for basis, row in zip(roster.basis, roster.rows.tolist(), strict=True)
            )
            self._bases[key] = found
        return found


def _usages(prompt_tokens: int, completion: Floats, cpu_s: Floats) -> tuple[Usage, ...]:
    """Expected usage of each candidate."""
    return tuple(
        Usage(
            prompt_tokens=prompt_tokens,
            completion_tokens=round(tokens),
            cpu_s=seconds if seconds > 0 else None,
        )
        for tokens, seconds in zip(completion.tolist(), cpu_s.tolist(), strict=True)
    )


def _phrase(route: str, in_task: float, in_all: float) -> str:
    """What the quality of a recorded model rests on."""
    if route == "taxonomy":
        return f"taxonomy: {in_task:,.0f} outcomes"
    view = "learned" if route == "learned" else "ability"
    return f"{view}: {in_all:,.0f} outcomes"
