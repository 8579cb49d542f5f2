"""Requests that are alike: one plain message, nearly the same words, the same numbers.

Likeness is the cosine of the hashed n-grams that the router looks at anyway. Words in common do
not make two questions one: what tells "12 + 7" from "13 + 7" is held to the letter, that is every
number, every name in quotes or capitals, and every word that turns a meaning round. How often it
is wrong all the same is measured by `benchmarks/cache/false_hits.py`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from msgspec import Struct

from emafusion.domain.features import Features
from emafusion.domain.query import Query
from emafusion.gateway.reuse.fingerprint import Fingerprint, is_plain

MOST = 5_000
"""Requests compared with at most; the oldest go first."""

LONGEST = 4_000
"""Characters of a message above which likeness says too little: one line of a page may differ."""

_TELLING = re.compile(
    r"\d+(?:[.,:/]\d+)*|[\"'`][^\"'`]{1,80}[\"'`]|\b(?:not|no|non|never|none|without|except|least|"
    r"most|less|more|before|after|above|below|un\w+|in\w+|false|true|or|and|first|last)\b|[^\w\s]",
    re.IGNORECASE,
)


def telling(text: str) -> tuple[str, ...]:
    """What two alike texts must share to the letter, in order.

    >>> telling("Is 12 not in 'a b'?")
    ('12', 'not', 'in', "'a b'", '?')
    """
    return tuple(found.lower() for found in _TELLING.findall(text))


class Alike(Struct, frozen=True, kw_only=True, eq=False):
    """A request as it is compared. `frame`: digest of all but its message, `text`: that."""

    frame: Fingerprint
    text: str
    features: Features


class _Entry(Struct, frozen=True, kw_only=True, eq=False):
    key: Fingerprint
    frame: Fingerprint
    telling: tuple[str, ...]


def comparable(query: Query) -> bool:
    """Whether a request is one plain message, after whatever was said before, and not too long."""
    last = query.messages[-1] if query.messages else None
    return last is not None and is_plain(last) and len(last.text) <= LONGEST


@dataclass(slots=True, kw_only=True, eq=False)
class Similar:
    """Finds the request most like another. `least`: cosine that is alike enough, 0..1."""

    least: float
    _entries: dict[int, _Entry] = field(default_factory=dict[int, _Entry])
    _places: dict[int, list[tuple[int, float]]] = field(
        default_factory=lambda: defaultdict[int, list[tuple[int, float]]](list)
    )
    _next: int = 0

    def nearest(self, asked: Alike) -> Fingerprint | None:
        """Fingerprint of the request most like this one, if it is alike enough."""
        told, likeness = telling(asked.text), self._likeness(asked.features)
        for entry_id, value in sorted(likeness.items(), key=lambda each: -each[1]):
            if value < self.least:
                return None
            entry = self._entries.get(entry_id)
            if entry is not None and entry.frame == asked.frame and entry.telling == told:
                return entry.key
        return None

    def add(self, key: Fingerprint, asked: Alike) -> None:
        """Have a request compared with from now on."""
        told = telling(asked.text)
        self._entries[self._next] = _Entry(key=key, frame=asked.frame, telling=told)
        for bucket, weight in _pairs(asked.features):
            self._places[bucket].append((self._next, weight))
        self._next += 1
        if len(self._entries) > MOST:
            self._forget()

    def _likeness(self, features: Features) -> dict[int, float]:
        """Cosine with every request that shares a bucket."""
        found: dict[int, float] = defaultdict(float)
        for bucket, weight in _pairs(features):
            for entry_id, other in self._places.get(bucket, ()):
                found[entry_id] += weight * other
        return found

    def _forget(self) -> None:
        """Forget the older half, its places too."""
        for entry_id in sorted(self._entries)[: MOST // 2]:
            del self._entries[entry_id]
        for bucket, places in list(self._places.items()):
            left = [place for place in places if place[0] in self._entries]
            if left:
                self._places[bucket] = left
            else:
                del self._places[bucket]


def _pairs(features: Features) -> list[tuple[int, float]]:
    return list(zip(features.indices.tolist(), features.weights.tolist(), strict=True))
