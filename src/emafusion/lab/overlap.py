"""Which prompts of a replay the artifact was fitted on: figures on these are too good.

An artifact keeps a mark of each of its prompts: 64 bits of a hash of the letters and digits alone,
from which no text can be had again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

import numpy as np

from emafusion.estimate.arrays import AnyArray

MARKS = "seen/prompts"
_JUNK = re.compile(r"\W+")


def marks_of(prompts: Iterable[str]) -> dict[str, AnyArray]:
    """Marks of the prompts that were fitted on, for the artifact."""
    return {MARKS: np.array(sorted({_mark(prompt) for prompt in prompts}), np.uint64)}


def seen_among(arrays: Mapping[str, AnyArray], prompts: Iterable[str]) -> int:
    """How many of these prompts an artifact was fitted on; 0 where it keeps no marks.

    >>> seen_among(marks_of(["What is 1 + 1?"]), ["what is 1 + 1", "and 2 + 2?"])
    1
    """
    return sum(seen(arrays, prompts))


def seen(arrays: Mapping[str, AnyArray], prompts: Iterable[str]) -> list[bool]:
    """Of each of these prompts, whether an artifact was fitted on it; never where it has no marks.

    >>> seen(marks_of(["What is 1 + 1?"]), ["what is 1 + 1", "and 2 + 2?"])
    [True, False]
    """
    known: set[int] = set(arrays[MARKS].tolist()) if MARKS in arrays else set()
    return [bool(known) and _mark(prompt) in known for prompt in prompts]


def _mark(prompt: str) -> int:
    plain = _JUNK.sub(" ", prompt.lower()).strip()
    digest = blake2b(plain.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
