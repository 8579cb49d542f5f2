"""Whether two texts are the same words in other dress: case, spaces, courtesy, a slip."""

from __future__ import annotations

import re

SLIPS = 2
"""Words that may differ by one letter."""

SHORTEST = 5
"""Letters of a word in which another letter is a slip, not another word."""

_COURTESY = frozenset({"a", "an", "hello", "hey", "hi", "kindly", "please", "thanks", "the"})
_WORD = re.compile(r"\w+")


def words(text: str) -> tuple[str, ...]:
    """The words that say something, in lower case.

    >>> words("Please name the  CAPITAL of Peru.")
    ('name', 'capital', 'of', 'peru')
    """
    return tuple(word for word in _WORD.findall(text.lower()) if word not in _COURTESY)


def same_words(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether both are the same, word by word, but for some slips.

    >>> same_words(words("The capital of Peru?"), words("capitol of peru"))
    True
    >>> same_words(words("the capital of Peru"), words("the capital of Cuba"))
    False
    """
    if one == other:
        return True
    if len(one) != len(other):
        return False
    differ = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return len(differ) <= SLIPS and all(is_slip(a, b) for a, b in differ)


def is_slip(one: str, other: str) -> bool:
    """Whether one long word becomes the other by one letter more, less, or other.

    >>> is_slip("capital", "captal"), is_slip("12345", "12346")
    (True, False)
    """
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    if len(shorter) < SHORTEST or len(longer) - len(shorter) > 1 or not one.isalpha():
        return False
    at = next((i for i, c in enumerate(shorter) if c != longer[i]), len(shorter))
    rest = shorter[at:] if len(longer) > len(shorter) else shorter[at + 1 :]
    return longer[at + 1 :] == rest and other.isalpha()
