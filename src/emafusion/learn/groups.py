"""Groups that must not be torn apart, and folds made of whole groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from emafusion.domain.features import Ints

_JUNK = re.compile(r"\W+")


def prompt_groups(prompts: Sequence[str]) -> Ints:
    """Number of the group of equal prompts (letters and digits alone) of each: int64[n].

    A prompt that is not known equals no other.

    >>> prompt_groups(["What?", "Why?", "what"]).tolist()
    [0, 1, 0]
    """
    words = [_JUNK.sub(" ", prompt.lower()).strip() for prompt in prompts]
    return _numbers([each or f"?{i}" for i, each in enumerate(words)])


def family_groups(datasets: Sequence[str]) -> Ints:
    """Number of the data set of each query: int64[n]."""
    return _numbers(list(datasets))


def folds_of(groups: Ints, n_folds: int, *, seed: int = 0) -> Ints:
    """Fold of each row, whole groups in one fold, drawn by chance: int64[n] in 0..n_folds-1."""
    names = np.unique(groups)
    drawn = np.random.default_rng(seed).permutation(len(names)) % n_folds
    return drawn[np.searchsorted(names, groups)].astype(np.int64)


def _numbers(names: list[str]) -> Ints:
    """Number of each name, in order of first appearance."""
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], np.int64)
