"""Model judges that were measured together: what each grade adds beside the others.

Judges of one answer err alike, so what a grade is worth depends on who else has spoken. All of them
together weigh `w` (non-negative, by task). Of those that are silent the mean is expected that the
others' grades foretell, by the covariance C of their log-odds: with S who spoke and M who did not

    evidence = kappa (b + (w_S + C_SS^-1 C_SM w_M)+ . l_S),  v = w_M' (C_MM - C_MS C_SS^-1 C_SM) w_M

and `kappa = (1 + pi v / 8)^-1/2` for what stays unknown. So one state serves any set of judges, and
tells beforehand how far the next one will move the log-odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import pi, sqrt
from types import MappingProxyType

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.judge.beside import NOTHING, PREFIX, Beside, besides_of
from emafusion.judge.curve import Curve, curve_of

ANY = ""
"""The task of a query of which nothing is known."""

_RIDGE = 1e-6
_HEAD, _TASK = "head/", "task/"

Said = tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """How those who spoke weigh: `bias`, and one weight >= 0 for each judge, 0 for the silent."""

    bias: float
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Parted:
    """Places of those who spoke and of the silent; `slopes`: how the silent follow, float64."""

    own: list[int]
    others: list[int]
    slopes: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heads:
    """k measured judges.

    `names`: with their kind, `llm:gpt-5.4`. `curves`: value -> log-odds, mean 0 over the answers it
    was measured on. `length`: log-odds that each gives for a unit of log length of the answer, and
    that are taken off again; `usual`: the log length at which nothing is. `cov`: float64[k, k].
    `tasks`: task -> (bias, k weights); `ANY` must be among them. `beside`: task -> what the other
    answers to a query tell, where several were graded.
    """

    names: tuple[str, ...]
    curves: tuple[Curve, ...]
    length: tuple[float, ...]
    usual: float
    cov: Floats
    tasks: Mapping[str, tuple[float, ...]]
    beside: Mapping[str, Beside] = field(default_factory=dict[str, Beside])
    _known: dict[tuple[str, Said], Weighing] = field(
        default_factory=dict[tuple[str, Said], Weighing], init=False, repr=False
    )
    _swings: dict[tuple[frozenset[str], frozenset[str]], float] = field(
        default_factory=dict[tuple[frozenset[str], frozenset[str]], float], init=False, repr=False
    )

    @property
    def effective(self) -> float:
        """Judges that err apart which these are worth: k / (1 + (k - 1) r), r of their log-odds."""
        k = len(self.names)
        pairs = [self.alike(a, b) for a in self.names for b in self.names if a < b]
        mean = sum(pairs) / len(pairs) if pairs else 0.0
        return k / (1.0 + (k - 1) * max(mean, 0.0))

    def alike(self, a: str, b: str) -> float:
        """Correlation of the log-odds of two of these judges."""
        i, j = self.names.index(a), self.names.index(b)
        return float(self.cov[i, j] / sqrt(self.cov[i, i] * self.cov[j, j]))

    def task_of(self, *tasks: str) -> str:
        """The first of these that is known, the most special first."""
        return next((task for task in tasks if task in self.tasks), ANY)

    def beside_of(self, *tasks: str) -> Beside:
        """What other answers tell in the first of these tasks that is known, else in any."""
        known = [self.beside[task] for task in (*tasks, ANY) if task in self.beside]
        return known[0] if known else NOTHING

    def evidence(self, said: Mapping[str, float], task: str, *, log_length: float | None) -> float:
        """Log-odds that the grades add; `said`: value 0..1 by judge, of measured judges alone."""
        spoke = tuple([name in said for name in self.names])
        if not any(spoke):
            return 0.0
        weighing = self.weighing(task, spoke)
        longer = 0.0 if log_length is None else log_length - self.usual
        total = weighing.bias
        for k, name in enumerate(self.names):
            if spoke[k] and weighing.weights[k]:
                odds = self.curves[k].at(said[name]) - self.length[k] * longer
                total += weighing.weights[k] * odds
        return total

    def weighing(self, task: str, spoke: Said) -> Weighing:
        """Weights of those who spoke; kept, since there are few sets."""
        found = self._known.get((task, spoke))
        if found is None:
            found = self._known[task, spoke] = self._weigh(task, spoke)
        return found

    def _weigh(self, task: str, spoke: Said) -> Weighing:
        bias, *rest = self.tasks[task]
        every, parted = np.array(rest), self._parted(spoke)
        own, others = parted.own, parted.others
        weights = np.zeros(len(every))
        weights[own] = np.maximum(every[own] + parted.slopes @ every[others], 0.0)
        kappa = self._kappa(every, parted)
        shrunk: list[float] = (kappa * weights).tolist()
        return Weighing(bias=kappa * bias, weights=tuple(shrunk))

    def swing(self, names: frozenset[str], asked: frozenset[str], /) -> float | None:
        """Standard deviation of what these judges add to the log-odds, before they are asked.

        `asked`: who has spoken already. None where none of them was measured.
        """
        if not names & frozenset(self.names):
            return None
        found = self._swings.get((names, asked))
        if found is None:
            found = self._swings[names, asked] = self._swung(names, asked)
        return found

    def _swung(self, names: frozenset[str], asked: frozenset[str]) -> float:
        every = np.array(self.tasks[ANY][1:])
        before = self._parted(tuple([each in asked for each in self.names]))
        after = self._parted(tuple([each in asked or each in names for each in self.names]))
        gained = self._told(every, after) - self._told(every, before)
        return self._kappa(every, after) * sqrt(max(gained, 0.0))

    def _told(self, every: Floats, parted: _Parted) -> float:
        """Variance of the whole panel's log-odds that those who spoke account for."""
        own = parted.own
        weights = every[own] + parted.slopes @ every[parted.others]
        return float(weights @ self.cov[np.ix_(own, own)] @ weights)

    def _kappa(self, every: Floats, parted: _Parted) -> float:
        own, others = parted.own, parted.others
        known = self.cov[np.ix_(others, own)] @ parted.slopes
        left = every[others] @ (self.cov[np.ix_(others, others)] - known) @ every[others]
        return 1.0 / sqrt(1.0 + pi * max(float(left), 0.0) / 8.0)

    def _parted(self, spoke: Said) -> _Parted:
        own = [k for k, is_heard in enumerate(spoke) if is_heard]
        others = [k for k, is_heard in enumerate(spoke) if not is_heard]
        slopes: Floats = np.zeros((len(own), len(others)))
        if own and others:
            inner = self.cov[np.ix_(own, own)] + _RIDGE * np.eye(len(own))
            slopes = np.asarray(np.linalg.solve(inner, self.cov[np.ix_(own, others)]), np.float64)
        return _Parted(own=own, others=others, slopes=slopes)

    def to_arrays(self) -> dict[str, Floats]:
        """Arrays for an artifact: `head/JUDGE` (length, usual, covariances), `task/`, `beside/`."""
        heads = {
            f"{_HEAD}{name}": np.array([self.length[k], self.usual, *self.cov[k]])
            for k, name in enumerate(self.names)
        }
        tasks = {f"{_TASK}{task}": np.array(row) for task, row in self.tasks.items()}
        besides = {f"{PREFIX}{task}": each.as_array() for task, each in self.beside.items()}
        return heads | tasks | besides


def heads_from(parts: Mapping[str, Floats]) -> Heads | None:
    """Read what `to_arrays` made, and the curves beside it; None where no judge was measured.

    Raises `BadInput` on a wrong shape or a negative weight.
    """
    names = tuple(sorted(key[len(_HEAD) :] for key in parts if key.startswith(_HEAD)))
    if not names:
        return None
    rows = [_row(parts, f"{_HEAD}{name}", 2 + len(names)) for name in names]
    tasks = {
        key[len(_TASK) :]: tuple(_row(parts, key, 1 + len(names)).tolist())
        for key in parts
        if key.startswith(_TASK)
    }
    if ANY not in tasks or any(min(row[1:]) < 0 for row in tasks.values()):
        raise BadInput("needs weights >= 0 for any task", where="panel/task/")
    return Heads(
        names=names,
        curves=tuple(_curve(parts, name) for name in names),
        length=tuple(float(row[0]) for row in rows),
        usual=float(rows[0][1]),
        cov=np.array([row[2:] for row in rows]),
        tasks=MappingProxyType(tasks),
        beside=MappingProxyType(besides_of(parts)),
    )


def is_heads(key: str) -> bool:
    """Whether an array's key is one of measured judges'."""
    return key.startswith((_HEAD, _TASK, PREFIX))


def _row(parts: Mapping[str, Floats], key: str, width: int) -> Floats:
    row = parts[key]
    if row.shape != (width,):
        raise BadInput(f"must be float64[{width}], got shape {row.shape}", where=f"panel/{key}")
    return row


def _curve(parts: Mapping[str, Floats], name: str) -> Curve:
    array = parts.get(f"curve/{name}")
    if array is None:
        raise BadInput("has no curve", where=f"panel/{_HEAD}{name}")
    return curve_of(array)
