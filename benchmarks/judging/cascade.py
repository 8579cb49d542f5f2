"""Accuracy at equal cost: a router alone against reading the answers, on recorded answers.

    python benchmarks/judging/cascade.py --data DIR [--looks 1 2 3 4]

Panel fitted on the *other* tables only; qualities and costs predicted out of fold. Judging by rules
and agreement is free, so all cost is that of the calls. Intervals: paired bootstrap over queries.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from types import MappingProxyType

import numpy as np
from gain import BEST, Weights, ahead, gain, look, weights_of
from recorded import Array, Pool, read_pool

from emafusion.judge.asked import FORMS
from emafusion.judge.state import PanelState
from emafusion.learn.panel.__main__ import TABLES, form_state
from emafusion.learn.panel.assess import fit_forms
from emafusion.learn.panel.looks import read_looks

POOLS = (
    ("mmlu_pro", "", "^$"),
    ("zeroeval", "gsm", "^o1|405B-Inst(?!@hyperbolic)|gemini-1.5-flash-exp"),
    ("zeroeval", "crux", "^o1|405B-Inst(?!@hyperbolic)|gemini-1.5-flash-exp"),
)
BUDGETS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 2.0)
DRAWS = 1_000


def main() -> None:
    """Print a table for each pool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--looks", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--lambdas", type=int, default=20)
    args = parser.parse_args()
    tables = [
        read_looks(args.data / f"{f}.parquet", d, queries=2_000, seed=7) for f, d, _ in TABLES
    ]
    for file, datasets, without in POOLS:
        name = f"{file} {datasets}".strip()
        state = _state([t for t in tables if t.name != name])
        pool = read_pool(args.data / f"{file}.parquet", datasets, without_regex(without))
        report(name, pool, state, looks=args.looks, lambdas=args.lambdas)


def without_regex(pattern: str) -> str:
    """Polars has no look-ahead: name the hosts to leave out."""
    return pattern.replace(
        "405B-Inst(?!@hyperbolic)", "405B-Inst@(together|sambanova)|405B-Inst-fp8"
    )


def _state(tables: list) -> PanelState:
    prior = PanelState.default()
    thetas = fit_forms(tables, prior.caps)
    forms = {f: form_state(thetas.get(i, thetas[-1]), prior.forms[f]) for i, f in enumerate(FORMS)}
    caps = {**prior.caps, "choice": 0.1}
    return PanelState(
        forms=MappingProxyType(forms),
        curves=prior.curves,
        caps=MappingProxyType(caps),
        correlation=prior.correlation,
    )


def report(name: str, pool: Pool, state: PanelState, *, looks: list[int], lambdas: int) -> None:
    """Points over the best single model at shares of its cost, and over the router."""
    there = np.where(pool.there, 1.0, np.nan)
    means = np.nanmean(pool.right * there, axis=0)
    best = int(means.argmax())
    usd = float(np.nanmean(pool.cost_usd[:, best] * there[:, best]))
    print(f"\n{name}: {len(pool.right)} queries, {len(pool.models)} models")
    print(f"best single: {pool.models[best]}, {means[best]:.2%} at ${1000 * usd:.3f} per 1,000 = B")
    print(
        "points over best single at   " + "".join(f"{b:>8.3g}B" for b in BUDGETS) + "  calls at B"
    )
    grid = np.geomspace(6 / usd, 0.002 / usd, lambdas)
    weights = weights_of(state, pool)
    kept = np.ones(pool.failed.shape)
    for check in np.unique(pool.failed[pool.failed != ""]):
        kept[pool.failed == check] = state.caps[str(check)]
    router = [play(pool, weights, kept, lam=lam, looks=1) for lam in grid]
    _line("router alone", router, usd=usd, base=means[best])
    for n in looks:
        runs = [play(pool, weights, kept, lam=lam, looks=n) for lam in grid]
        _line(f"read, at most {n} looks", runs, usd=usd, base=means[best])
        _against(runs, router, usd)


def play(pool: Pool, w: Weights, caps: Array, *, lam: float, looks: int) -> tuple[Array, ...]:
    """Right or wrong, cost and number of calls of each query under the gain rule."""
    n, rows = len(pool.right), np.arange(len(pool.right))
    fee = lam * pool.expected_usd
    worth = np.where(pool.there, pool.quality - fee, -9.0)
    asked = np.full((n, looks), -1)
    asked[:, 0] = worth.argmax(1)
    if looks > 1:
        _plan(pool, w, caps, asked=asked, worth=worth, fee=fee)
    active = asked[:, 1] >= 0 if looks > 1 else np.zeros(n, dtype=bool)
    for turn in range(2, looks):
        net = gain(pool, look(pool, asked[:, :turn], w=w, caps=caps), w) - fee
        net[~pool.there] = -9.0
        for j in range(turn):
            known = asked[:, j] >= 0
            net[rows[known], asked[known, j]] = -9.0
        k = net.argmax(1)
        active &= net[rows, k] > 0
        asked[active, turn] = k[active]
    seen = look(pool, asked, w=w, caps=caps)
    spent = np.where(asked >= 0, np.take_along_axis(pool.cost_usd, np.maximum(asked, 0), 1), 0.0)
    final = asked[rows, seen.best]
    return pool.right[rows, final], spent.sum(1), (asked >= 0).sum(1)


def _plan(pool: Pool, w: Weights, caps: Array, *, asked: Array, worth: Array, fee: Array) -> None:
    """Choose the first two calls with the third in mind; writes them into `asked`."""
    rows = np.arange(len(asked))
    top = np.argsort(-worth, axis=1)[:, :BEST]
    q, cost = np.take_along_axis(pool.quality, top, 1), np.take_along_axis(fee, top, 1)
    able = np.take_along_axis(pool.there, top, 1)
    deep = asked.shape[1] > 2  # a third look is allowed
    start = np.zeros_like(q)
    for i in range(BEST):
        then = _ahead(w.alone(q[:, [i]]), q, cost, w=w, deep=deep)
        then[:, i] = 0.0
        start[:, i] = q[:, i] - cost[:, i] + np.maximum(0.0, np.where(able, then, 0.0).max(1))
    asked[:, 0] = top[rows, np.where(able, start, -9.0).argmax(1)]
    seen = look(pool, asked[:, :1], w=w, caps=caps)
    first = seen.support[:, :1]
    then = _ahead(first, q, cost, w=w, deep=deep)
    unread = ~np.take_along_axis(pool.keyed, asked[:, :1], 1)
    then = np.where(unread, np.maximum(0, q - seen.probability[:, :1]) - cost, then)
    then[(top == asked[:, :1]) | ~able] = -9.0
    k = then.argmax(1)
    go = then[rows, k] > 0
    asked[go, 1] = top[rows, k][go]


def _ahead(first: Array, q: Array, cost: Array, *, w: Weights, deep: bool) -> Array:
    if deep:
        return ahead(first, q, fee=cost, w=w)
    a = w.alone(q)
    p, chance = 1 / (1 + np.exp(-first)), 1 / (1 + np.exp(-a))
    agree = p * chance + (1 - p) * (1 - chance) * w.collide
    better = np.maximum(0, w.of(a, np.exp(first)) - w.of(first, np.exp(a)))
    return (1 - agree) * better - cost


def _line(name: str, runs: list, *, usd: float, base: float) -> None:
    points = [100 * (_mixed(runs, b * usd)[0].mean() - base) for b in BUDGETS]
    near = min(runs, key=lambda run: abs(run[1].mean() - usd))
    print(f"{name:28s} " + "".join(f"{p:>+9.2f}" for p in points) + f"  {near[2].mean():.2f}")


def _against(runs: list, router: list, usd: float) -> None:
    """Difference to the router at equal cost, with a paired 95 % interval."""
    rng = np.random.default_rng(0)
    cells = []
    for budget in BUDGETS:
        gap = 100 * (_mixed(runs, budget * usd)[0] - _mixed(router, budget * usd)[0])
        draws = [gap[rng.integers(len(gap), size=len(gap))].mean() for _ in range(DRAWS)]
        low, high = np.percentile(draws, (2.5, 97.5))
        cells.append(f"{gap.mean():+.2f} [{low:+.2f}, {high:+.2f}]")
    print("   over the router: " + "  ".join(cells))


def _mixed(runs: list, usd: float) -> tuple[Array, Array]:
    """Per-query score at a mean cost: the mix of two neighbouring settings of the upper hull."""
    points = sorted(
        ((r[1].mean(), r[0].mean(), i) for i, r in enumerate(runs)), key=lambda p: p[:2]
    )
    hull: list = []
    for point in points:
        while len(hull) > 1 and _under(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    top = max(range(len(hull)), key=lambda i: hull[i][1])
    hull = hull[: top + 1]
    costs = np.array([h[0] for h in hull])
    if usd >= costs[-1]:
        return runs[hull[-1][2]][0], costs[-1:]
    k = max(int(np.searchsorted(costs, usd)), 1)
    share = np.clip((usd - costs[k - 1]) / (costs[k] - costs[k - 1]), 0.0, 1.0)
    low, high = runs[hull[k - 1][2]][0], runs[hull[k][2]][0]
    return (1 - share) * low + share * high, costs


def _under(a: tuple, b: tuple, c: tuple) -> bool:
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])


if __name__ == "__main__":
    main()
