"""Hard checks: the kind of thing that was asked for is in the answer at all."""

from __future__ import annotations

import re

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query
from emafusion.judge.answers import letter_in, short_answer
from emafusion.judge.asked import form_of
from emafusion.judge.verdict import ABSTAIN, Verdict, bad, ok

_COUNT = re.compile(
    r"\bhow many\b|\bwie viele\b|\bcombien de\b|\bcuántos\b",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_NUMBER_WORDS = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|million|half|third|quarter|dozen|once|twice|none|no|single|infinite\w*|"
    r"un[ao]?|une|ein\w*|zwei|drei|vier|fünf|deux|trois|quatre|cinq|dos|tres|cuatro|cinco|keine?|ningun\w*|aucun\w*)\b",
    re.IGNORECASE,
)


def letter_read(query: Query, reply: Reply) -> Verdict:
    """Bad: lettered options were offered and neither a letter nor an option's words can be read.

    Ok: the chosen option can be read. That an answer cannot be read is a signal, not proof that it
    is wrong: the panel caps it softly.
    """
    text = reply.choices[0].text
    if form_of(query) != "choice" or not text.strip():
        return ABSTAIN
    letter = letter_in(query.prompt, text)
    if letter is not None:
        return ok(f"chooses {letter}")
    return bad("no option can be read") if short_answer(query, reply) is None else ABSTAIN


def number_given(query: Query, reply: Reply) -> Verdict:
    """Bad: a count was asked for and the whole answer holds neither a digit nor a number word."""
    text = reply.choices[0].text
    if (
        not text.strip()
        or reply.tool_calls
        or form_of(query) != "number"
        or not _COUNT.search(query.prompt[-2_000:])
    ):
        return ABSTAIN
    if _DIGIT.search(text) or _NUMBER_WORDS.search(text[-20_000:]) or not text.isascii():
        return ABSTAIN
    return bad("asked for a number, none is given")
