"""How sure a model was of one of two words, by the log-probabilities of its tokens."""

from __future__ import annotations

import math

from emafusion.domain.attempt import Choice, TokenLogprob

Pair = tuple[str, str]


def chance_of(choice: Choice, words: Pair) -> float | None:
    """Chance of the first of two words (lower case), 0..1; None unless the reply is one of them.

    With log-probabilities it is the share of the first in what both have. A word that is not among
    those told has what is left, but no more than the least of them. Without any log-probability the
    word is taken as sure.

    >>> chance_of(Choice(text=" Yes."), ("yes", "no")), chance_of(Choice(text="no"), ("yes", "no"))
    (1.0, 0.0)
    >>> token = TokenLogprob(token="No", logprob=math.log(0.6), others=((" yes", math.log(0.2)),))
    >>> chance_of(Choice(text="No", logprobs=(token,)), ("yes", "no"))
    0.25
    >>> chance_of(Choice(text="yes, it says so itself"), ("yes", "no")) is None
    True
    """
    said = _plain(choice.text)
    if said not in words or choice.tool_calls or choice.refusal:
        return None
    token = next((each for each in choice.logprobs if _plain(each.token) == said), None)
    if token is None or math.isnan(token.logprob):
        return float(said == words[0])
    first, second = _masses(token, words)
    return round(first / (first + second), 6) if first + second > 0.0 else float(said == words[0])


def _masses(token: TokenLogprob, words: Pair) -> tuple[float, float]:
    """Probability of each word at the place of a token, all its spellings together."""
    told = {other: value for other, value in token.others if not math.isnan(value)}
    told[token.token] = token.logprob
    chances = [(_plain(text), math.exp(min(value, 0.0))) for text, value in told.items()]
    left = max(0.0, 1.0 - math.fsum([chance for _, chance in chances]))
    left = min(left, *[chance for _, chance in chances])  # the likeliest are told first
    first, second = (
        math.fsum([chance for text, chance in chances if text == word]) if word in dict(chances)
        else left
        for word in words
    )  # fmt: skip
    return first, second


def _plain(text: str) -> str:
    return text.strip().rstrip(".").casefold()
