"""Slow labels: ask a model what kind of query it is, where that may change who is called.

Both must hold: the fast labels are in doubt, and knowing which of the two likeliest tasks it is
would gain more than asking costs (value of information). The labels are then mixed,
p = L p_slow + (1 - L) p_fast, and the candidates predicted anew.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Flow
from emafusion.domain.errors import NoCandidate
from emafusion.domain.evidence import Evidence
from emafusion.domain.features import Estimates, Features, Floats, Labels
from emafusion.domain.model import Objective
from emafusion.flow.consider import Considered, hold, predicted
from emafusion.flow.slow import TRUST, SlowLabels

TIE = 1e-9
"""A gain that is only rounding is none."""


def relabel(known: Considered, slow: SlowLabels) -> Flow[tuple[Considered, Evidence]]:
    """Consider a query anew by slow labels where that pays; yields at most one call.

    Where it does not pay, the call fails or the reply cannot be read, all stays as it was; what
    was paid is in the evidence.
    """
    key, paid = known.features.prompt_hash, tuple[Attempt, ...]()
    if not is_doubtful(known, slow):
        return known, Evidence()
    if key not in slow.kept:
        if not (may_ask(known, slow) and pays(known, slow)):
            return known, Evidence()
        attempt, labels = yield from slow.labeller.label(known.task.query)
        paid = (attempt,)
        if attempt.reply is None:
            return known, Evidence(labelled=paid)
        slow.kept.keep(key, labels)
    return _anew(known, slow.kept.labels(key), slow.trust), Evidence(labelled=paid)


def is_doubtful(known: Considered, slow: SlowLabels) -> bool:
    """Whether the likeliest task is not likely enough, or the query is unlike what was learned."""
    certain = float(known.features.labels.task.max())
    return certain < slow.certain or known.estimates.familiarity < slow.familiar


def may_ask(known: Considered, slow: SlowLabels) -> bool:
    """Whether the caller's limits leave room: nobody may be shut out by what asking may take."""
    task, name = known.task, slow.labeller.candidate.name
    if not task.query.prompt or name in task.resting:
        return False
    if task.objective.candidates and name not in task.objective.candidates:
        return False
    money = _has_room(known.estimates.cost_usd, slow.most_usd, task.objective.max_cost_usd)
    time = _has_room(known.estimates.latency_s, slow.timeout_s, task.objective.max_latency_s)
    return money and time


def pays(known: Considered, slow: SlowLabels) -> bool:
    """Whether asking is expected to gain more than it costs."""
    quality_per_usd = slow.quality_per_usd(known.task.objective)
    return gain_of_knowing(known, quality_per_usd) > quality_per_usd * slow.cost_usd + TIE


def gain_of_knowing(known: Considered, quality_per_usd: float) -> float:
    """Utility expected of knowing which of the two likeliest tasks it is, in units of quality.

    sum over both of p(task) (max_k u_k|task - u_chosen|task), with u = quality - lambda cost: what
    the best choice for that task gains over the choice made now. Other tasks count nothing, so
    this is a lower bound where labels and predictions are right.
    """
    objective, chances = known.task.objective, known.features.labels.task
    chosen = int(_utility(known.estimates, objective, quality_per_usd).argmax())
    gain = 0.0
    for place in np.argsort(-chances, kind="stable")[:2].tolist():
        certain = _as_task(known.features, place)
        then = known.parts.estimator.estimate(certain, known.candidates)
        utility = _utility(then, objective, quality_per_usd)
        if np.isfinite(utility[chosen]):
            gain += float(chances[place] * (utility.max() - utility[chosen]))
    return gain


def mixed(slow: Labels, fast: Labels, trust: Mapping[str, float]) -> Labels:
    """Axis by axis, L of the slow labels and the rest of the fast ones."""

    def mix(axis: str, asked: Floats, own: Floats) -> Floats:
        share = trust.get(axis, TRUST)
        return share * asked + (1.0 - share) * own

    return Labels(
        task=mix("task", slow.task, fast.task),
        depth=mix("depth", slow.depth, fast.depth),
        domain=mix("domain", slow.domain, fast.domain),
        format=mix("format", slow.format, fast.format),
    )


def _anew(known: Considered, labels: Labels | None, trust: Mapping[str, float]) -> Considered:
    """Predict by the mixed labels; as before where these would have the query refused."""
    if labels is None:
        return known
    features = replace(known.features, labels=mixed(labels, known.features.labels, trust))
    estimates = predicted(known.task, known.parts, features, candidates=known.candidates)
    try:
        hold(known.task.objective, estimates)
    except NoCandidate:
        return known  # it was taken on, and money was spent: too late to refuse
    return replace(known, features=features, estimates=estimates)


def _as_task(features: Features, place: int) -> Features:
    task = np.zeros(len(features.labels.task))
    task[place] = 1.0
    return replace(features, labels=replace(features.labels, task=task))


def _utility(estimates: Estimates, objective: Objective, quality_per_usd: float) -> Floats:
    """Utility of each candidate, -inf where too dear; an unknown cost is the dearest known."""
    cost_usd, limit_usd = estimates.cost_usd, objective.max_cost_usd
    known = cost_usd[~np.isnan(cost_usd)]
    paid = np.where(np.isnan(cost_usd), known.max() if known.size else 0.0, cost_usd)
    utility: Floats = estimates.quality - quality_per_usd * paid
    return utility if limit_usd is None else np.where(paid > limit_usd, -np.inf, utility)


def _has_room(expected: Floats, more: float, limit: float | None) -> bool:
    """Whether all that keep within the limit still do with so much more."""
    if limit is None:
        return True
    within = expected[expected <= limit]
    return float(within.max(initial=0.0)) + more <= limit
