"""Known words: each has a place of its own beside the hash buckets, with weights of its own.

What is learned of a word that stands in a table of word vectors also says something of words that
mean nearly the same and were never met. So the vectors are needed for learning alone: what they
come to is kept as one row of weights a word. A word that is not known is cut into known pieces,
the longest first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats, Ints
from emafusion.encode.hashing import BUCKETS, Words

CONTINUES = "##"
"""Before the name of a piece that stands inside or at the end of a word."""

MOST_KEPT = 20_000
"""Words whose pieces are kept, so that each is cut once."""

LONGEST = 40
"""Longer words are not cut: they are no words."""

AnyArray = npt.NDArray[np.generic]
_NOTHING = (np.empty(0, np.int64), np.empty(0, np.float64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lexicon:
    """L known words and pieces.

    `words`: lower case, pieces with `##` in front; `rarity`: float64[L], how much one of them
    counts.

    >>> known = Lexicon(words=("sum", "treat", "##y"), rarity=np.ones(3))
    >>> indices, weights = known.look_up([b"sum", b"treaty"])
    >>> (indices - BUCKETS).tolist(), weights.round(2).tolist()
    ([0, 1, 2], [0.33, 0.33, 0.33])
    """

    words: tuple[str, ...]
    rarity: Floats
    _places: dict[bytes, tuple[int, ...]] = field(init=False, repr=False)
    _known: frozenset[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the shape, and make the words quick to find."""
        if len(self.words) != len(self.rarity):
            told = f"{len(self.words)} known words have {len(self.rarity)} weights"
            raise BadInput(told, where="artifact")
        places = {word.encode(): (i,) for i, word in enumerate(self.words)}
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_known", frozenset(places))

    @classmethod
    def none(cls) -> Lexicon:
        """No known words."""
        return cls(words=(), rarity=np.zeros(0))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Lexicon:
        """Read `encoder/lexicon/...` of an artifact; no words where it has none."""
        if "encoder/lexicon/words" not in arrays:
            return cls.none()
        words = tuple(map(str, arrays["encoder/lexicon/words"].tolist()))
        return cls(words=words, rarity=arrays["encoder/lexicon/rarity"].astype(np.float64))

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        if not self.words:
            return {}
        return {
            "encoder/lexicon/words": np.array(self.words, dtype=np.str_),
            "encoder/lexicon/rarity": self.rarity.astype(np.float32),
        }

    def look_up(self, words: Words) -> tuple[Ints, Floats]:
        """Places of the known words of a text beside the buckets, ascending, and their weights.

        Weights sum to 1: log(1 + count) x rarity, over the sum of these. Empty without known words.
        """
        if not self.words:
            return _NOTHING
        counts = Counter[int]()
        for word, count in Counter(words).items():
            for place in self._pieces(word):
                counts[place] += count
        if not counts:
            return _NOTHING
        found = sorted(counts)
        places = np.array(found, np.int64)
        weights = np.log1p(np.array([counts[place] for place in found], np.float64))
        weights *= self.rarity.take(places)
        weights /= weights.sum()
        return places + BUCKETS, weights

    def _pieces(self, word: bytes) -> tuple[int, ...]:
        """The word's own place, else those of its pieces; kept for the next time."""
        kept = self._places.get(word)
        if kept is None:
            kept = self._cut(word)
            if len(self._places) < len(self.words) + MOST_KEPT:
                self._places[word] = kept
        return kept

    def _cut(self, word: bytes) -> tuple[int, ...]:
        """Longest known pieces from the left; a byte that begins none is passed over."""
        found: list[int] = []
        start = b""
        if len(word) > LONGEST:
            return ()
        while word:
            size = next((k for k in range(len(word), 0, -1) if start + word[:k] in self._known), 0)
            if size:
                found.extend(self._places[start + word[:size]])
            word = word[size or 1 :]
            start = CONTINUES.encode()
        return tuple(found)
