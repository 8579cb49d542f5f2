"""Two artifacts side by side: what the second one changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from typing import TypeVar

from msgspec import Struct

from emafusion.domain.errors import BadInput
from emafusion.lab.deciding import Decisions, decisions_compared
from emafusion.lab.describing import known_models
from emafusion.replay.tasks import Tasks
from emafusion.store.artifact import Artifact


class Pair(Struct, frozen=True, kw_only=True):
    """A number by name in both artifacts; None where one has it not."""

    name: str
    before: float | None
    after: float | None


class Moved(Struct, frozen=True, kw_only=True):
    """The ability of a model in both."""

    model: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """After less before."""
        return self.after - self.before


class Cell(Struct, frozen=True, kw_only=True):
    """The mean score of a model in a data set, in both; the data set is empty for all together."""

    dataset: str
    model: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """After less before."""
        return self.after - self.before


class Difference(Struct, frozen=True, kw_only=True):
    """What the second artifact changes.

    `before`, `after`: digests; `added`, `removed`, `common`: models; `abilities`, `scores`: of what
    both know, the largest change first; `decisions`: None where one of them cannot be served, and
    `undecided` says why.
    """

    before: str
    after: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    common: tuple[str, ...]
    figures: tuple[Pair, ...]
    abilities: tuple[Moved, ...]
    scores: tuple[Cell, ...]
    decisions: Decisions | None
    undecided: str | None = None


_Change = TypeVar("_Change", Moved, Cell)


def compare(before: Artifact, after: Artifact) -> Difference:
    """Hold one artifact against another.

    Raises:
        BadInput: arrays of one of them do not fit together.
    """
    old = {each.model: each.ability for each in known_models(before.arrays)}
    new = {each.model: each.ability for each in known_models(after.arrays)}
    common = tuple(model for model in new if model in old)
    decisions, undecided = _decisions(before, after, common)
    return Difference(
        before=before.digest,
        after=after.digest,
        added=tuple(model for model in new if model not in old),
        removed=tuple(model for model in old if model not in new),
        common=common,
        figures=tuple(_pairs(before.card.figures, after.card.figures)),
        abilities=_largest_first(
            Moved(model=name, before=old[name], after=new[name]) for name in common
        ),
        scores=_scores(before, after),
        decisions=decisions,
        undecided=undecided,
    )


def _decisions(
    before: Artifact, after: Artifact, common: tuple[str, ...]
) -> tuple[Decisions | None, str | None]:
    """Decisions of both, or why there are none."""
    if not common:
        return None, "they have no model in common"
    try:
        return decisions_compared(before, after, common), None
    except BadInput as error:
        return None, str(error)


def _pairs(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[Pair]:
    """Figures of both, in the order of the second card."""
    for name in dict.fromkeys((*after, *before)):
        yield Pair(name=name, before=before.get(name), after=after.get(name))


def _scores(before: Artifact, after: Artifact) -> tuple[Cell, ...]:
    """Mean scores that both know."""
    both = Tasks.from_arrays(before.arrays), Tasks.from_arrays(after.arrays)
    old, new = (_cells(tasks) for tasks in both)
    return _largest_first(
        Cell(dataset=dataset, model=model, before=old[dataset, model], after=value)
        for (dataset, model), value in new.items()
        if (dataset, model) in old
    )


def _cells(tasks: Tasks | None) -> dict[tuple[str, str], float]:
    """(data set, model) -> mean score, where one is known."""
    if tasks is None:
        return {}
    return {
        (dataset, model): value
        for dataset, row in zip(tasks.names, tasks.score.tolist(), strict=True)
        for model, value in zip(tasks.models, row, strict=True)
        if not isnan(value)
    }


def _largest_first(changes: Iterable[_Change]) -> tuple[_Change, ...]:
    return tuple(sorted(changes, key=lambda each: -abs(each.change)))
