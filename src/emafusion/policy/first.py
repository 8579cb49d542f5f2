"""First plans: of one query on its way through, or of all queries of a replay at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import inf, isnan
from typing import Protocol

import numpy as np
from msgspec import Struct

from emafusion.domain.evidence import CallStep, Plan, Situation
from emafusion.domain.features import Floats
from emafusion.policy.dial import Dial, known_costs
from emafusion.policy.options import COMPARABLE, Options, barred, legibility
from emafusion.policy.plain import FEW, nets, seats
from emafusion.policy.spread import Spread
from emafusion.policy.start import HASTE, HOPELESS, TIE, Menu, Starts, best_starts
from emafusion.policy.vote import Vote


class FirstPlans(Protocol):
    """A policy that can plan the first step of many queries at once."""

    def first_plans(self, situations: Sequence[Situation], /) -> list[Plan]:
        """The first plan of each, equal to what `plan` gives."""
        ...


class Rules(Struct, frozen=True, kw_only=True, eq=False):
    """What a first plan is made by: the parts of a policy that it looks at."""

    dial: Dial
    spread: Spread
    vote: Vote
    looks: int


class Begun(Struct, frozen=True, kw_only=True, eq=False):
    """Best starts as plain numbers, to make plans of."""

    first: list[int]
    second: list[int]
    chance: list[float]
    quality: list[float]

    def plan(self, row: int, situation: Situation) -> Plan:
        """The plan of one query."""
        names, costs = situation.estimates.candidates, situation.estimates.cost_usd
        first, second, chance = self.first[row], self.second[row], self.chance[row]
        usd = float(costs[first])
        if second >= 0:
            usd += chance * float(costs[second])
        q = float(situation.estimates.quality[first])
        why = f"{names[first]} is expected right {q:.0%}"
        if situation.evidence.attempts:
            why = f"fallback after a failure: {why}"
        if second < 0:
            why = f"{why}; no second look would pay"
            likely: tuple[CallStep, ...] = ()
        else:
            why = f"{why}; a second look at {names[second]} pays in {chance:.0%} of cases"
            likely = (CallStep(candidate=names[second], live=True),)
        return Plan(
            step=CallStep(candidate=names[first], live=second < 0),
            propensity=1.0,
            reason=why,
            likely=likely,
            quality=self.quality[row],
            cost_usd=None if isnan(usd) else usd,
        )


def starts_of(situation: Situation, left: Options, rules: Rules) -> Begun:
    """The best start of one query; at least one candidate must be open."""
    if rules.looks < 2 or sum(left.open) < 2:
        return _alone(left)
    bar = barred(situation, left.cost_usd)
    if bar is None and sum(left.open) <= FEW:
        return _few(left, rules)
    fee = [p if may else inf for may, p in zip(left.open, left.paid, strict=True)]
    menu = Menu(
        quality=np.array([left.quality]),
        cost_usd=np.array([left.cost_usd]),
        fee=np.array([fee]),
        legibility=np.array(left.legibility),
        comparable=np.array([left.comparable]),
        bar=None if bar is None else bar[None],
    )
    return _begun(best_starts(menu, rules.spread, rules.vote, looks=rules.looks))


def first_plans(
    situations: Sequence[Situation], rules: Rules, *, one: Callable[[Situation], Plan]
) -> list[Plan]:
    """First plans of many queries: those alike but for their estimates together, the rest by `one`.

    Alike are the same candidates under the same objective, without a limit on cost, time or
    quality, before any evidence.
    """
    plans: list[Plan | None] = [None] * len(situations)
    together: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, situation in enumerate(situations):
        if _is_plain(situation):
            key = (situation.estimates.candidates, situation.objective, situation.judges)
            together[key].append(i)
        else:
            plans[i] = one(situation)
    for places in together.values():
        some = [situations[i] for i in places]
        menu = _menu(some, rules.dial)
        begun = _begun(best_starts(menu, rules.spread, rules.vote, looks=rules.looks))
        for row, (i, situation) in enumerate(zip(places, some, strict=True)):
            plans[i] = begun.plan(row, situation)
    return [plan for plan in plans if plan is not None]


def _menu(situations: Sequence[Situation], dial: Dial) -> Menu:
    lam = dial.quality_per_usd(situations[0].objective)
    cost = known_costs(np.array([s.estimates.cost_usd for s in situations]))
    formats: Floats = np.array([s.features.labels.format for s in situations])
    return Menu(
        quality=np.array([s.estimates.quality for s in situations]),
        cost_usd=cost,
        fee=lam * cost,
        legibility=np.array(legibility(situations[0])),
        comparable=formats @ COMPARABLE,
    )


def _is_plain(situation: Situation) -> bool:
    objective = situation.objective
    limits = (objective.max_cost_usd, objective.max_latency_s, objective.min_quality)
    return limits == (None, None, None) and not situation.evidence.attempts


def _alone(left: Options) -> Begun:
    """The most useful single call: of equal ones the cheapest, or for nothing, the best."""
    best = max(q for q, may in zip(left.quality, left.open, strict=True) if may)
    floor = HOPELESS if best > HOPELESS else -1.0
    columns = enumerate(zip(left.open, left.quality, left.paid, strict=True))
    worth = {k: q - paid for k, (may, q, paid) in columns if may and q > floor}
    enough = max(worth.values()) - TIE
    near = [k for k, value in worth.items() if value >= enough]
    if any(left.paid):
        first = min(near, key=left.cost_usd.__getitem__)
    else:
        first = max(near, key=left.quality.__getitem__)
    return Begun(first=[first], second=[-1], chance=[0.0], quality=[left.quality[first]])


@lru_cache(maxsize=512)  # for queries that come again, in the same pool at the same price
def _few(left: Options, rules: Rules) -> Begun:
    """The same as `start.best_starts` in plain numbers, for a small pool."""
    few = [k for k, may in enumerate(left.open) if may]
    then = seats([left.quality[k] for k in few], [left.paid[k] for k in few], rules.vote)
    best = max(seat.quality for seat in then)
    found: list[tuple[float, float, int, float]] = []  # worth, chance of a second, which, q
    for i, seat in enumerate(then):
        share, gain, second = 0.0, 0.0, -1
        points = rules.spread.points(seat.quality, left.legibility[few[i]])
        for chance in points:
            net = nets(chance, then, looks=rules.looks, comparable=left.comparable, own=i)
            k = max(range(len(net)), key=net.__getitem__)
            if net[k] > HASTE:
                share, gain, second = share + 1.0, gain + net[k] - HASTE, k
        hopeless = seat.quality <= HOPELESS < best
        worth = -inf if hopeless else seat.quality - seat.fee + gain / len(points)
        found.append((worth, share / len(points), second, seat.quality))
    enough = max(worth for worth, *_ in found) - TIE
    near = [i for i, (worth, *_) in enumerate(found) if worth >= enough]
    if any(left.paid):
        i = min(near, key=lambda i: left.cost_usd[few[i]])
    else:
        i = max(near, key=lambda i: then[i].quality)
    worth, share, second, _ = found[i]
    paid = then[i].fee + (share * then[second].fee if second >= 0 else 0.0)
    return Begun(
        first=[few[i]],
        second=[few[second] if second >= 0 else -1],
        chance=[share],
        quality=[min(worth + paid, 1.0)],
    )


def _begun(starts: Starts) -> Begun:
    return Begun(
        first=starts.first.tolist(),
        second=starts.second.tolist(),
        chance=starts.chance.tolist(),
        quality=starts.quality.tolist(),
    )
