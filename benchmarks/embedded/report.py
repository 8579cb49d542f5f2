"""Says what each action of the embedded pool is worth, from a table that record.py wrote.

    python benchmarks/embedded/report.py outcomes.jsonl

Printed as Markdown: score and cost by kind; then what the pool loses without each action. That is
measured by choosing the best action of each kind on one half of the tasks and scoring the choice
on the other half, with and without the action, 200 times; intervals are 95 % over resampled tasks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_ROUNDS = 200
_SHRINK = 2.0  # imagined tasks at the action's overall score, in each kind
_VALUE_USD = 0.001  # what one right answer is worth, where score and cost are weighed


class Table:
    """Scores and costs as float64[tasks, actions], kinds as int[tasks]."""

    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        self.actions = list(dict.fromkeys(str(row["model"]) for row in rows))
        by_task: dict[str, dict[str, Mapping[str, object]]] = {}
        for row in rows:
            by_task.setdefault(str(row["query_id"]), {})[str(row["model"])] = row
        whole = [task for task in by_task.values() if len(task) == len(self.actions)]
        self.scores = self._column(whole, "score")
        self.costs = self._column(whole, "cost_usd")
        datasets = [str(task[self.actions[0]]["dataset"]) for task in whole]
        self.kinds = sorted(set(datasets))
        self.kind = np.array([self.kinds.index(name) for name in datasets])

    def _column(self, tasks: Sequence[Mapping[str, Mapping[str, object]]], name: str) -> Array:
        return np.array([[float(str(task[a][name])) for a in self.actions] for task in tasks])


def wilson(scores: Array) -> str:
    """A share with its 95 % Wilson interval."""
    n, p, z = len(scores), float(scores.mean()), 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return f"{p:.2f} ({middle - half:.2f}-{middle + half:.2f})"


def chosen(
    table: Table, *, train: Array, test: Array, actions: Sequence[int]
) -> tuple[float, float]:
    """Mean score and cost on `test` of the action chosen by kind on `train`."""
    overall = table.scores[train].mean(axis=0)
    picks = np.empty(len(table.kinds), dtype=int)
    for kind in range(len(table.kinds)):
        mine = train[table.kind[train] == kind]
        total = table.scores[mine].sum(axis=0) + _SHRINK * overall
        worth = total / (len(mine) + _SHRINK) - table.costs[train].mean(axis=0) / _VALUE_USD
        picks[kind] = max(actions, key=lambda action: worth[action])
    picked = picks[table.kind[test]]
    return float(table.scores[test, picked].mean()), float(table.costs[test, picked].mean())


def ablation(table: Table, without: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """float64[rounds] each: score and cost of the pool less those of the pool without an action."""
    everyone = range(len(table.actions))
    others = [action for action in everyone if action != without]
    gains = np.empty((_ROUNDS, 2))
    for turn in range(_ROUNDS):
        order = rng.permutation(len(table.kind))
        train = order[: len(order) // 2]
        test = rng.choice(order[len(order) // 2 :], size=len(order) - len(train))
        full = chosen(table, train=train, test=test, actions=list(everyone))
        less = chosen(table, train=train, test=test, actions=others)
        gains[turn] = full[0] - less[0], full[1] - less[1]
    return gains[:, 0], gains[:, 1]


def main() -> None:
    """Print the report."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    table = Table([json.loads(line) for line in lines])
    rng = np.random.default_rng(7)
    names = " | ".join(table.actions)
    print(f"{len(table.kind)} tasks, score with 95 % Wilson interval\n\n| kind | n | {names} |")
    print("| --- | --- |" + " --- |" * len(table.actions))
    for number, kind in enumerate(table.kinds):
        mine = table.scores[table.kind == number]
        cells = " | ".join(wilson(mine[:, action]) for action in range(len(table.actions)))
        print(f"| {kind.removeprefix('embedded-')} | {len(mine)} | {cells} |")
    every = range(len(table.actions))
    print(f"| all | {len(table.kind)} | {' | '.join(wilson(table.scores[:, a]) for a in every)} |")
    costs = " | ".join(f"{table.costs[:, action].mean() * 1e6:.2f}" for action in every)
    print(f"| cost, USD per million calls | | {costs} |\n")
    best = float(table.scores.max(axis=1).mean())
    print(f"Any action right: {best:.3f}\n")
    print("| without | score lost | cost saved, USD per million | only this one right |")
    print("| --- | --- | --- | --- |")
    for action in every:
        score, cost = ablation(table, action, rng)
        low, high = np.quantile(score, (0.025, 0.975))
        rest = np.delete(table.scores, action, axis=1).max(axis=1)
        alone = float((table.scores[:, action] > rest).mean())
        print(
            f"| {table.actions[action]} | {score.mean():.3f} ({low:.3f} to {high:.3f}) "
            f"| {cost.mean() * 1e6:.2f} | {alone:.3f} |"
        )


if __name__ == "__main__":
    main()
