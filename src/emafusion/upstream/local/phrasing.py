"""What stands around a question and does not change it: politeness, lead-ins, "just the number"."""

from __future__ import annotations

import re

_LEAD_INS = re.compile(
    r"^(?:please|kindly|hi|hello|hey|ok|okay|so|,|:"
    r"|(?:can|could|would|will) you(?: please)?(?: tell me)?"
    r"|i need(?: to know)?|i want to know|i would like to know|i'd like to know"
    r"|(?:tell|give|show) me|find|calculate|compute|evaluate|work out|figure out|determine"
    r"|what is|what's|whats|what are|what was|how much is|how much are|what does"
    r"|the (?:result|value|answer|outcome) (?:of|to))(?![a-z']) *"
)
_TAILS = re.compile(
    r" *(?:[?.=]|(?:is )?equal(?:s| to)?(?: what)?|please|for me|thank you|thanks|,)$"
)
_MANNERS = re.compile(
    r"(?:^|(?<=[.?!]) *|\n+ *)(?:please )?"
    r"(?:(?:answer|reply|respond) with|give|return|output)?(?: me)? ?(?:just|only)? ?"
    r"(?:the|a|one) (?:number|result|final answer|answer)(?: only)?"
    r"(?:,? (?:please|nothing else|and nothing else))?[.!]?$"
)


def core(text: str) -> str:
    """The question itself in lower case, single spaces.

    >>> core("Hi, could you please tell me what is 12 times 7? Just the number, please.")
    '12 times 7'
    """
    question = text.strip().lower().replace("\u2019", "'")
    question = _MANNERS.sub("", question).strip()
    question = re.sub(r"\s+", " ", question)
    return _peeled(_TAILS, _peeled(_LEAD_INS, question)).strip()


def _peeled(pattern: re.Pattern[str], text: str) -> str:
    """`text` without all that `pattern` finds at its end or start, layer by layer."""
    while (shorter := pattern.sub("", text)) != text:
        text = shorter
    return text
