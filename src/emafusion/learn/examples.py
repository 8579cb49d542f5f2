"""Labelled examples for the fast classifier: seed prompts, and benchmark prompts by weak labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats, Ints
from emafusion.domain.query import Query, ask
from emafusion.encode.classify import ClassifierState
from emafusion.encode.encoder import HashEncoder
from emafusion.encode.taxonomy import DOMAINS, FORMATS, TASKS
from emafusion.learn.seed_prompts import Seed
from emafusion.learn.weak_labels import label_of, strip_header

UNKNOWN = -1
"""Class number where an example says nothing about an axis."""

LONG_LOW, LONG_HIGH = 0.2, 0.8
"""Prompts whose answers are shorter or longer than these shares of their data set's are taken to
be one level of depth less or more than the data set's usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A query, its classes by number (-1 unknown; depth 0..4) and the group it is held out with."""

    query: Query
    task: int
    depth: int
    domain: int
    format: int
    group: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Examples as arrays; n of them.

    `words`: for each its buckets and weights; `counts`: float64[n, 20]; `classes`: int64[n, 4],
    task, depth, domain, format; `groups`: names to hold out by.
    """

    words: tuple[tuple[Ints, Floats], ...]
    counts: Floats
    classes: Ints
    groups: tuple[str, ...]

    def take(self, rows: npt.NDArray[np.bool_]) -> Examples:
        """Those of the rows that are true: bool[n]."""
        places = np.flatnonzero(rows).tolist()
        return Examples(
            words=tuple(self.words[i] for i in places),
            counts=self.counts[rows],
            classes=self.classes[rows],
            groups=tuple(self.groups[i] for i in places),
        )


def from_seeds(seeds: Iterable[Seed]) -> tuple[Example, ...]:
    """Examples from seed prompts; they form one group."""
    return tuple(
        Example(
            query=seed.query, task=TASKS.index(seed.task), depth=seed.depth - 1,
            domain=UNKNOWN if seed.domain is None else DOMAINS.index(seed.domain),
            format=FORMATS.index(seed.format), group="seeds",
        )
        for seed in seeds
    )  # fmt: skip


def from_benchmark(
    prompts: Sequence[str], datasets: Sequence[str], answer_tokens: Floats
) -> tuple[Example, ...]:
    """Examples from benchmark prompts whose data set has weak labels.

    `answer_tokens`: float64[n], typical length of an answer, NaN where unknown; it tells deep
    prompts of a data set from shallow ones.
    """
    shifts = _depth_shifts(datasets, answer_tokens)
    made: list[Example] = []
    for prompt, dataset, shift in zip(prompts, datasets, shifts.tolist(), strict=True):
        label = label_of(dataset)
        if label is None:
            continue
        made.append(
            Example(
                query=ask(strip_header(prompt)),
                task=TASKS.index(label.task),
                depth=min(max(label.depth - 1 + shift, 0), 4),
                domain=UNKNOWN if label.domain is None else DOMAINS.index(label.domain),
                format=FORMATS.index(label.format),
                group=dataset,
            )
        )
    return tuple(made)


def as_arrays(examples: Sequence[Example]) -> Examples:
    """Encode examples."""
    encoder = HashEncoder(ClassifierState.blank())
    features = [encoder.encode(example.query) for example in examples]
    return Examples(
        words=tuple((f.indices, f.weights) for f in features),
        counts=np.array([f.counts for f in features]).reshape(-1, 20),
        classes=np.array([[e.task, e.depth, e.domain, e.format] for e in examples], np.int64),
        groups=tuple(example.group for example in examples),
    )


def _depth_shifts(datasets: Sequence[str], answer_tokens: Floats) -> Ints:
    """-1, 0 or 1 for each prompt, by the length of its answers within its data set: int64[n]."""
    names = np.array(datasets)
    shifts = np.zeros(len(names), np.int64)
    for name in np.unique(names):
        rows = np.flatnonzero((names == name) & np.isfinite(answer_tokens))
        if len(rows) >= 20:
            low, high = np.quantile(answer_tokens[rows], (LONG_LOW, LONG_HIGH))
            shifts[rows[answer_tokens[rows] > high]] = 1
            shifts[rows[answer_tokens[rows] < low]] = -1
    return shifts
