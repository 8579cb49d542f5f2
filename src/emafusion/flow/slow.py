"""The slow classifier as a part of a flow: whom it asks, what that costs, what it remembers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emafusion.domain.features import Labels
from emafusion.domain.model import Objective
from emafusion.domain.ports import Labeller

TRUST = 0.7
"""Weight of slow labels against fast ones before any were compared. Stated, not measured."""

TIMEOUT_S = 5.0


class Kept:
    """What was said of the last prompts, by hash: labels, or None where it could not be read.

    >>> kept = Kept(most=1)
    >>> kept.keep("a", None)
    >>> kept.keep("b", None)
    >>> "a" in kept, "b" in kept
    (False, True)
    """

    def __init__(self, most: int = 4_096) -> None:
        self._most = most
        self._labels: OrderedDict[str, Labels | None] = OrderedDict()

    def __contains__(self, prompt_hash: str) -> bool:
        return prompt_hash in self._labels

    def labels(self, prompt_hash: str) -> Labels | None:
        """What was said of a prompt that is kept."""
        self._labels.move_to_end(prompt_hash)
        return self._labels[prompt_hash]

    def keep(self, prompt_hash: str, labels: Labels | None) -> None:
        """Keep one more; the one not asked for the longest goes."""
        self._labels[prompt_hash] = labels
        self._labels.move_to_end(prompt_hash)
        if len(self._labels) > self._most:
            self._labels.popitem(last=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlowLabels:
    """When and how far a labeller is believed.

    `cost_usd`: expected of one call; `most_usd`, `timeout_s`: the most that it can take.
    `quality_per_usd`: what a dollar must buy under an objective (lambda). `trust`: weight of slow
    labels in 0..1 by axis, `TRUST` where not given. `certain`, `familiar`: below one of these a
    query is in doubt.
    """

    labeller: Labeller
    cost_usd: float
    most_usd: float
    quality_per_usd: Callable[[Objective], float]
    timeout_s: float = TIMEOUT_S
    trust: Mapping[str, float] = field(default_factory=dict[str, float])
    certain: float = 0.6
    familiar: float = 0.5
    kept: Kept = field(default_factory=Kept)
