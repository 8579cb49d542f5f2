"""A vote among several draws: which of them agree, and which answer stands for them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from .generation import FinishReason, Token

_NUMBER = re.compile(r"-?\d+(?:[.,/:]\d+)*")
_FILLER = re.compile(r"\b(the|a|an|is|it|its|answer|of|this|that)\b")


@dataclass(slots=True, kw_only=True)
class Draw:
    """One answer as it was drawn."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list[Token])
    reason: FinishReason = "stop"

    @property
    def mean_logprob(self) -> float:
        """Mean natural log-probability of its tokens; minus infinity for an empty answer."""
        return (
            sum(token.logprob for token in self.tokens) / len(self.tokens)
            if self.tokens
            else float("-inf")
        )


def elect(draws: Sequence[Draw]) -> Draw:
    """The most likely draw of the largest group; ties go to the most likely member.

    >>> elect([Draw(text="It is 7."), Draw(text="8"), Draw(text="3 + 4 = 7")]).text
    'It is 7.'
    """
    groups: dict[str, list[Draw]] = defaultdict(list)
    for draw in draws:
        groups[short_answer(draw.text)].append(draw)
    best = max(
        groups.values(), key=lambda group: (len(group), max(draw.mean_logprob for draw in group))
    )
    return max(best, key=lambda draw: draw.mean_logprob)


def short_answer(text: str) -> str:
    r"""What an answer comes down to: yes or no, its last number, or the words of its first line.

    >>> (
    ...     short_answer("Yes, it is."),
    ...     short_answer("3 + 4 = 7\nBecause"),
    ...     short_answer("The capital is Paris."),
    ... )
    ('yes', '7', 'capital paris')
    """
    first = next((line for line in text.lower().splitlines() if line.strip()), "")
    verdict = re.match(r"\W*(yes|no|true|false|positive|negative)\b", first)
    if verdict:
        return verdict[1]
    numbers = _NUMBER.findall(first)
    if numbers:
        return str(numbers[-1])
    words = re.findall(r"\w+", _FILLER.sub(" ", first))
    return " ".join(words) or text.strip().lower()
