"""The hybrid estimator: features and candidates in, estimates out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emafusion.domain.attempt import Usage
from emafusion.domain.features import Estimates, Features, Floats
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Pricer
from emafusion.estimate.cost import LINEAR_UP_TO, expected_latency, expected_tokens
from emafusion.estimate.familiarity import familiarity_of
from emafusion.estimate.hybrid import Mode, Views, blend_quality, quality_sd, shrunk, view_weights
from emafusion.estimate.linear import DIFFICULTY, FIRST_DIRECTION, LENGTH, apply_heads
from emafusion.estimate.roster import Roster, make_roster
from emafusion.estimate.state import RouterState
from emafusion.estimate.table import cell_weights

KEPT_ROSTERS = 64


class HybridEstimator:
    """Taxonomy, learned heads and priors blended by familiarity; implements `Estimator`.

    `mode`: `blend`; `paper` for a hard switch between the views; `taxonomy` or `learned` for one
    view alone.

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

    def __init__(self, state: RouterState, pricer: Pricer, *, mode: Mode = "blend") -> None:
        self._state = state
        self._pricer = pricer
        self._mode: Mode = mode
        self._rosters: dict[tuple[int, ...], Roster] = {}

    def estimate(self, features: Features, candidates: tuple[Candidate, ...], /) -> Estimates:
        """Predict quality, cost and latency of each candidate on this query."""
        return self.estimate_many((features,), candidates)[0]

    def estimate_many(
        self, features: Sequence[Features], candidates: tuple[Candidate, ...], /
    ) -> tuple[Estimates, ...]:
        """Predict for many queries at once; the same numbers as one by one."""
        if not features:
            return ()
        roster = self._roster(candidates)
        state = self._state
        heads = np.array([apply_heads(state.heads, f) for f in features])
        familiarity = np.array([familiarity_of(state.familiarity, f) for f in features])
        cells = np.array([cell_weights(f.labels) for f in features], np.float32)
        views = Views(
            ability=roster.ability,
            taxonomy=(cells @ roster.leaves.T).astype(np.float64),
            learned=heads[:, FIRST_DIRECTION:] @ roster.loadings.T,
        )
        certain = np.array([f.labels.task.max() for f in features])
        weights = view_weights(state.blend, familiarity, certain, mode=self._mode)
        difficulty = shrunk(state.blend, heads[:, DIFFICULTY], familiarity)
        quality = blend_quality(state.blend, views, difficulty=difficulty, weights=weights)
        quality *= np.array([f.labels.task for f in features]) @ roster.reach.T
        spread = quality_sd(
            state.blend, quality, ability_sd=roster.ability_sd, familiarity=familiarity
        )
        costs, latencies = self._money_and_time(features, heads[:, LENGTH], roster)
        return tuple(
            Estimates(
                candidates=roster.names,
                quality=quality[i],
                quality_sd=spread[i],
                cost_usd=costs[i],
                latency_s=latencies[i],
                familiarity=float(familiarity[i]),
                route=(route := _route(weights[i], views.taxonomy[i], views.learned[i])),
                basis=self._basis(roster, f, route),
            )
            for i, f in enumerate(features)
        )

    def _roster(self, candidates: tuple[Candidate, ...]) -> Roster:
        """The pool as arrays; kept by identity, since candidates are never changed."""
        key = tuple(map(id, candidates))
        roster = self._rosters.get(key)
        if roster is None:
            if len(self._rosters) >= KEPT_ROSTERS:
                self._rosters.clear()
            roster = make_roster(self._state, self._pricer, candidates)
            self._rosters[key] = roster
        return roster

    def _money_and_time(
        self, features: Sequence[Features], head: Floats, roster: Roster
    ) -> tuple[Floats, Floats]:
        """Expected cost_usd and latency_s: float64[n_queries, n_candidates] each."""
        prompt = np.array([f.prompt_tokens for f in features], np.float64)[:, None]
        completion = expected_tokens(roster.lines, head)
        cpu_s = roster.cpu[:, 0] + prompt * roster.cpu[:, 1] + completion * roster.cpu[:, 2]
        call, per_prompt, per_completion, per_cpu_s = roster.rates
        cost = call + prompt * per_prompt + completion * per_completion + cpu_s * per_cpu_s
        for i, each in enumerate(features):
            if each.prompt_tokens > LINEAR_UP_TO:
                usages = _usages(each.prompt_tokens, completion[i], cpu_s[i])
                cost[i] = self._priced(usages, roster)
        return cost, expected_latency(cpu_s, completion, roster.latency_s)

    def _priced(self, usages: tuple[Usage, ...], roster: Roster) -> Floats:
        """Exact prices of one long query, where tiers may apply: float64[n]."""
        pairs = zip(usages, roster.candidates, strict=True)
        costs = [self._pricer(usage, candidate.model.price) for usage, candidate in pairs]
        return np.array([float("nan") if cost is None else cost for cost in costs])

    def _basis(self, roster: Roster, features: Features, route: str) -> tuple[str, ...]:
        """One phrase a candidate on what its quality rests on."""
        task = int(features.labels.task.argmax())
        outcomes = self._state.table.outcomes
        return tuple(
            basis or _phrase(route, float(outcomes[row, task]), float(self._state.outcomes[row]))
            for basis, row in zip(roster.basis, roster.rows.tolist(), strict=True)
        )


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


def _route(weights: Floats, taxonomy: Floats, learned: Floats) -> str:
    """The view that moves the candidates apart most; `prior` where none does."""
    moves = (weights[0] * _range(taxonomy), weights[1] * _range(learned))
    if max(moves) <= 1e-9:
        return "prior"
    return "taxonomy" if moves[0] >= moves[1] else "learned"


def _range(values: Floats) -> float:
    """Largest less smallest; for a handful of values, much sooner than `np.ptp`."""
    plain: list[float] = values.tolist()
    return max(plain) - min(plain)
