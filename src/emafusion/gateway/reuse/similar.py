"""Requests that are alike: one plain message, the same words in other dress.

Likeness is the cosine of the hashed n-grams that the router looks at anyway. Words in common do
not make two questions one: what tells "12 + 7" from "13 + 7" is held to the letter, that is every
number, sign and quoted name, and every other word but for a slip of the key. How often it is wrong
all the same is measured by `benchmarks/cache/false_hits.py`.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from msgspec import Struct

from emafusion.domain.features import Features
from emafusion.domain.query import Query
from emafusion.gateway.reuse.dress import same_words, words
from emafusion.gateway.reuse.fingerprint import Fingerprint, is_plain

MOST, TOGETHER = 5_000, 20
"""Kinds of requests that are remembered, and requests of one kind; the oldest go first."""

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
    ('12', 'not', "'a b'", '?')
    """
    return tuple(found.lower() for found in _TELLING.findall(text))


class Alike(Struct, frozen=True, kw_only=True, eq=False):
    """A request as it is compared. `frame`: digest of all but its message, `text`: that."""

    frame: Fingerprint
    text: str
    features: Features


class _Entry(Struct, frozen=True, kw_only=True, eq=False):
    key: Fingerprint
    words: tuple[str, ...]
    weights: dict[int, float]


def comparable(query: Query) -> bool:
    """Whether a request is one plain message, after whatever was said before, and not too long."""
    last = query.messages[-1] if query.messages else None
    return last is not None and is_plain(last) and len(last.text) <= LONGEST


@dataclass(slots=True, kw_only=True, eq=False)
class Similar:
    """Finds the request most like another. `least`: cosine that is alike enough, 0..1.

    Only those are compared that agree in what must be the same, so that takes microseconds.
    """

    least: float
    _shelves: OrderedDict[tuple[Fingerprint, tuple[str, ...]], deque[_Entry]] = field(
        default_factory=OrderedDict[tuple[Fingerprint, tuple[str, ...]], deque[_Entry]]
    )

    def nearest(self, asked: Alike) -> Fingerprint | None:
        """Fingerprint of the request most like this one, if it is alike enough."""
        best, found, said = self.least, None, words(asked.text)
        for entry in self._shelves.get((asked.frame, telling(asked.text)), ()):
            value = _cosine(asked.features, entry.weights)
            if value >= best and same_words(said, entry.words):
                best, found = value, entry.key
        return found

    def add(self, key: Fingerprint, asked: Alike) -> None:
        """Have a request compared with from now on."""
        place = (asked.frame, telling(asked.text))
        shelf = self._shelves.setdefault(place, deque(maxlen=TOGETHER))
        features = asked.features
        weights = dict(zip(features.indices.tolist(), features.weights.tolist(), strict=True))
        shelf.append(_Entry(key=key, words=words(asked.text), weights=weights))
        self._shelves.move_to_end(place)
        if len(self._shelves) > MOST:
            self._shelves.popitem(last=False)


def _cosine(features: Features, weights: dict[int, float]) -> float:
    pairs = zip(features.indices.tolist(), features.weights.tolist(), strict=True)
    return float(sum(weight * weights.get(bucket, 0.0) for bucket, weight in pairs))
